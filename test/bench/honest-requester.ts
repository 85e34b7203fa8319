import type { Evidence } from '../../src/domain/market/evidence.ts';
import type { BidRequest } from '../../src/domain/market/bid.ts';
import { createVerifier, loadIdentity } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import type { OpenRequest } from '../../src/orchestrator/ports.ts';
import { createBenchPeer, heard } from './bench-peer.ts';
import { requestOf } from './requests.ts';

/** Honest requests. */
export const PER_SECOND = 20;
const EVERY_MS = 1000 / PER_SECOND;
/** A request without a bid counts as having taken this long. */
const GIVEN_UP_MS = 5000;

export interface HonestOrder {
  readonly seconds: number;
}

/** From each request to its bid. */
export interface HonestReport {
  readonly tookMs: readonly number[];
  readonly answered: number;
}

/** The time from a request to the first bid for it, which is then let go; undefined when none came. */
function timeToBid(network: Network, request: Evidence<BidRequest>): Promise<number | undefined> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const held: { open?: OpenRequest } = {};
    const end = (tookMs: number | undefined): void => {
      clearTimeout(timer);
      held.open?.close();
      resolve(tookMs);
    };
    const timer = setTimeout(() => end(undefined), GIVEN_UP_MS);
    held.open = network.market.openRequest(request, {
      bid: (_bid, negotiation) => {
        end(performance.now() - startedMs);
        setImmediate(() => negotiation.close());
        return { keep: true };
      },
      decline: () => {},
      negotiationEnded: () => {},
      audienceChanged: () => {},
    });
  });
}

async function ask(name: string, provider: string, dataDir: string): Promise<void> {
  const peer = createBenchPeer(await loadIdentity(dataDir, systemRandom), name, provider);
  const { notary, underlay } = peer;
  const verifier = createVerifier(name, systemClock);
  const network = createNetwork(
    { network: name, ownJobs: false },
    { underlay, notary, verifier, clock: systemClock, logger: silentLogger },
  );
  network.attach({
    requester: {
      servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
      mayRead: async () => false,
    },
    content: { serve: async () => undefined, isPublic: async () => false },
  });
  await network.start();
  await heard(peer, name);
  process.on('message', ({ seconds }: HonestOrder) => {
    const asked: Promise<number | undefined>[] = [];
    const timer = setInterval(() => {
      const request = notary.sign('bid-request', requestOf({ hard: [] }, underlay.peerRecord()));
      asked.push(timeToBid(network, request));
      if (asked.length < (seconds * 1000) / EVERY_MS) return;
      clearInterval(timer);
      void Promise.all(asked).then((took) => {
        const tookMs = took.map((ms) => ms ?? GIVEN_UP_MS);
        const answered = took.filter((ms) => ms !== undefined).length;
        process.send?.({ tookMs, answered } satisfies HonestReport);
      });
    }, EVERY_MS);
  });
  process.send?.('connected');
}

if (import.meta.main) {
  const [, , name = '', provider = '', dataDir = ''] = process.argv;
  process.once('disconnect', () => process.exit());
  await ask(name, provider, dataDir);
}
