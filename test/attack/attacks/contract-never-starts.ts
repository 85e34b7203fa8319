import { availableParallelism } from 'node:os';
import type { Attack, Scene } from '../attack.ts';
import { Bargainer, unseenScript } from '../bargaining.ts';
import { again, pause } from '../persistence.ts';

/** All of the machine, and then less and less of it: whatever fits beside what runs. */
const MOST_CPU_MILLIS = availableParallelism() * 1000;
const STEP = 0.97;
const LEAST_CPU_MILLIS = 30;
const MEMORY_BYTES = 64 * 1024 * 1024;
const DISK_BYTES = 16 * 1024 * 1024;
const PEOPLE = 4;
const ASKS_OF_EACH = 4;
const BETWEEN_ASKS_MS = 100;
const NETWORKS = 200;

/** What is under contract is nobody else's, and a contract that waits for its script costs its requester nothing. */
export const contractNeverStarts: Attack = {
  name: 'contract-never-starts',
  about: 'takes all of the processor that there is under contracts, never serves the script, and goes away',
  protocol: 'negotiation, content',
  quick: true,
  prepare: async (scene) => {
    const sizes = sizesDownwards();
    let people = 0;
    const address = (): string => {
      people += 1;
      return `127.68.${people % NETWORKS}.1`;
    };
    return async (signal) => {
      await Promise.all(
        Array.from({ length: PEOPLE }, () => again(signal, () => comeAndGo(scene, address(), sizes, signal))),
      );
    };
  },
};

async function comeAndGo(
  scene: Scene,
  localAddress: string,
  sizes: Generator<number>,
  signal: AbortSignal,
): Promise<void> {
  const here = new AbortController();
  const busy = AbortSignal.any([signal, here.signal]);
  const bargainer = new Bargainer(
    scene,
    async (offer) => {
      const bid = await bargainer.lock(offer);
      if (bid === undefined) return scene.count('declined');
      const answer = await bargainer.propose(offer, bid, unseenScript());
      scene.count(answer);
      if (answer !== 'signed-contract') return;
      scene.count('thousandths of a processor', offer.request.requirements.resources.cpuMillis);
      here.abort();
    },
    localAddress,
  );
  try {
    await bargainer.start(busy);
    scene.count('requesters');
    for (let ask = 0; ask < ASKS_OF_EACH && !busy.aborted; ask += 1) {
      const cpuMillis = Number(sizes.next().value);
      const resources = { cpuMillis, memoryBytes: MEMORY_BYTES, diskBytes: DISK_BYTES, gpus: [] };
      await bargainer.ask(cpuMillis, { resources, engine: { type: 'python' } });
      await pause(BETWEEN_ASKS_MS, busy);
    }
    await pause(BETWEEN_ASKS_MS, busy);
  } finally {
    await bargainer.peer.underlay.stop();
  }
}

function* sizesDownwards(): Generator<number> {
  for (;;) {
    for (let cpuMillis = MOST_CPU_MILLIS; cpuMillis >= LEAST_CPU_MILLIS; cpuMillis *= STEP)
      yield Math.floor(cpuMillis);
  }
}
