import { availableParallelism } from 'node:os';
import type { Attack } from '../attack.ts';
import { Bargainer, unseenScript } from '../bargaining.ts';
import { again, pause } from '../persistence.ts';

/** All of the machine, and then less and less of it: whatever fits beside what runs. */
const MOST_CPU_MILLIS = availableParallelism() * 1000;
const STEP = 0.97;
const LEAST_CPU_MILLIS = 30;
const MEMORY_BYTES = 64 * 1024 * 1024;
const DISK_BYTES = 16 * 1024 * 1024;
const BETWEEN_ASKS_MS = 100;
const BETWEEN_PEOPLE_MS = 500;

/** What is under contract is nobody else's, and a contract that waits for its script costs its requester nothing. */
export const contractNeverStarts: Attack = {
  name: 'contract-never-starts',
  about: 'takes all of the processor that there is under contracts, never serves the script, and goes away',
  protocol: 'negotiation, content',
  quick: true,
  prepare: async (scene) => async (signal) => {
    let cpuMillis = MOST_CPU_MILLIS;
    await again(signal, async () => {
      const here = new AbortController();
      if (cpuMillis < LEAST_CPU_MILLIS) cpuMillis = MOST_CPU_MILLIS;
      const bargainer = new Bargainer(scene, async (offer) => {
        const bid = await bargainer.lock(offer);
        if (bid === undefined) return;
        const answer = await bargainer.propose(offer, bid, unseenScript());
        scene.count(answer);
        if (answer !== 'signed-contract') return;
        scene.count('thousandths of a processor', offer.request.requirements.resources.cpuMillis);
        here.abort();
      });
      try {
        const busy = AbortSignal.any([signal, here.signal]);
        await bargainer.start(busy);
        scene.count('requesters');
        while (!busy.aborted && cpuMillis >= LEAST_CPU_MILLIS) {
          const resources = { cpuMillis, memoryBytes: MEMORY_BYTES, diskBytes: DISK_BYTES, gpus: [] };
          await bargainer.ask(cpuMillis, { resources, engine: { type: 'python' } });
          cpuMillis = Math.floor(cpuMillis * STEP);
          await pause(BETWEEN_ASKS_MS, busy);
        }
      } finally {
        await bargainer.peer.underlay.stop();
      }
      await pause(BETWEEN_PEOPLE_MS, signal);
    });
  },
};
