import type { Stream } from '@libp2p/interface';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import type { Attack } from '../attack.ts';
import { errandAttack } from '../errands.ts';
import { bid, framed } from '../made-up.ts';
import { again, atRate } from '../persistence.ts';

const PER_SECOND = 2000;
const PING = '/ipfs/ping/1.0.0';
const PING_BYTES = new Uint8Array(32).fill(7);
const PING_STREAMS = 2;
const MOST_UNANSWERED_BYTES = 64 * 1024;

/** Signed, and no request by its schema. */
export const malformedRequests = errandAttack(
  {
    name: 'malformed-requests',
    about: 'signed bid requests that are none by their schema, 2 000 a second',
    protocol: 'request',
  },
  PER_SECOND,
  ['request'],
  (_road, { notary }, index) =>
    framed('bid-request', envelopeOf(notary.sign('bid-request', { requestId: `r${index}`, jobId: 7 }))),
);

export const unknownBids = errandAttack(
  {
    name: 'unknown-bids',
    about: 'signed bids for requests that nobody made, 2 000 a second',
    protocol: 'negotiation',
  },
  PER_SECOND,
  ['negotiation'],
  (_road, { notary }) => framed('bid', envelopeOf(notary.sign('bid', bid()))),
);

export const deniedContent = errandAttack(
  {
    name: 'denied-content',
    about: 'content that does not exist or is not for everybody, 2 000 times a second',
    protocol: 'content',
  },
  PER_SECOND,
  ['content'],
  (road, { notary }) => road.opening(notary),
);

export const madeUpContracts = errandAttack(
  {
    name: 'made-up-contracts',
    about: 'questions for contracts and logs of contracts that never were, 2 000 a second',
    protocol: 'contract, logs',
    quick: true,
  },
  PER_SECOND,
  ['contract', 'logs'],
  (road, { notary }) => road.opening(notary),
);

/** Part of libp2p itself, so that no protocol of the node sees it. */
export const pings: Attack = {
  name: 'pings',
  about: '2 000 pings a second to each node',
  protocol: 'ping of libp2p',
  prepare: async (scene) => {
    const host = await scene.host();
    return async (signal) => {
      const lanes = scene.targets.flatMap((target) => Array.from({ length: PING_STREAMS }, () => target));
      await Promise.all(
        lanes.map((target) =>
          again(
            signal,
            async () => {
              const stream = await host.open(target, PING, signal);
              stream.addEventListener('message', () => scene.count('answers'));
              await pingOn(stream, signal, () => scene.count('pings'));
            },
            (error) => scene.refused(error),
          ),
        ),
      );
    };
  },
};

async function pingOn(stream: Stream, signal: AbortSignal, sent: () => void): Promise<void> {
  const closed = new AbortController();
  stream.addEventListener('close', () => closed.abort(), { once: true });
  await atRate(PER_SECOND / PING_STREAMS, PER_SECOND, AbortSignal.any([signal, closed.signal]), async () => {
    if (stream.writeBufferLength > MOST_UNANSWERED_BYTES) return;
    stream.send(PING_BYTES);
    sent();
  });
  throw new Error('the stream is closed');
}
