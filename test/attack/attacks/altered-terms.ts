import type { Bid } from '../../../src/domain/market/bid.ts';
import type { ContractTerms } from '../../../src/domain/market/contract.ts';
import type { Attack } from '../attack.ts';
import { Bargainer, unseenScript } from '../bargaining.ts';
import { contentId } from '../made-up.ts';
import { again, pause } from '../persistence.ts';

const PEOPLE = 4;
const BETWEEN_ASKS_MS = 150;
const HUGE = { cpuMillis: 64_000, memoryBytes: 2 ** 40, diskBytes: 2 ** 40, gpus: [] };

/** Each is not what was bid. */
const CHANGES: readonly ((bid: Bid, self: string) => Partial<ContractTerms>)[] = [
  (bid) => ({ price: { ...bid.price, amount: '0' } }),
  () => ({ resources: HUGE }),
  (_bid, self) => ({ provider: self }),
  (bid) => ({ startWithinMs: bid.time.startWithinMs * 2 + 1 }),
  (bid) => ({ executionTimeoutMs: bid.time.durationMs * 2 + 1 }),
  (bid) => ({ lockVersion: (bid.lock?.version ?? 0) + 1 }),
  () => ({ lockId: 'another' }),
  () => ({ jobDigest: contentId() }),
  () => ({ invocationDigest: contentId() }),
  () => ({ executionId: '../../elsewhere.v1.p0r0.a1' }),
  () => ({ orphanAfterMs: 360 * 24 * 60 * 60 * 1000 }),
  (_bid, self) => ({ requester: self.replace(/.$/, 'a') }),
];

export const alteredTerms: Attack = {
  name: 'altered-terms',
  about:
    'takes bids and proposes something else than was bid: price, resources, times, parties, locks, folders',
  protocol: 'negotiation',
  never: 'signed-contract',
  prepare: async (scene) => async (signal) => {
    let turn = 0;
    await Promise.all(
      Array.from({ length: PEOPLE }, () =>
        again(signal, async () => {
          const bargainer = new Bargainer(scene, async (offer) => {
            const bid = await bargainer.lock(offer);
            if (bid === undefined) return;
            turn += 1;
            const changes = CHANGES[turn % CHANGES.length]?.(bid, bargainer.peer.notary.self) ?? {};
            scene.count('proposals');
            scene.count(await bargainer.propose(offer, bid, unseenScript(), changes));
          });
          try {
            await bargainer.start(signal);
            while (!signal.aborted) {
              await bargainer.ask(100, { engine: { type: 'python' } });
              await pause(BETWEEN_ASKS_MS, signal);
            }
          } finally {
            await bargainer.peer.underlay.stop();
          }
        }),
      ),
    );
  },
};
