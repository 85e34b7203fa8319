import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { identityOf } from '../../src/identity/index.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame } from '../../src/messages/frame.ts';
import { protocolNames } from '../../src/network/names.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import type { Channel } from '../../src/network/underlay.ts';
import { type BenchPeer, createBenchPeer, heard } from './bench-peer.ts';
import { requestOf } from './requests.ts';

const PER_SECOND = 1000;
const TICK_MS = 10;
const STARTED_AT_ONCE = 10;
const SIGNED_AT_ONCE = 50;
const REST_MS = 1000;

/** What the bench tells a flooder, and what it answers: how many requests went out, and how many bids came back. */
export interface FloodOrder {
  readonly seconds: number;
}

export interface FloodReport {
  readonly sent: number;
  readonly perSecond: number;
  readonly bids: number;
}

/** Every request is different, signed by its own sender, and fits the provider. */
function messageOf({ notary, underlay }: BenchPeer): Uint8Array {
  const request = requestOf({ hard: [] }, underlay.peerRecord());
  return encodeFrame({ kind: 'bid-request', body: envelopeOf(notary.sign('bid-request', request)) });
}

/** Made ahead and with pauses: what a flooder owes its connections by then would come on top of the flood. */
async function messagesOf(peers: readonly BenchPeer[], count: number): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const peer = peers[index % peers.length];
    if (peer === undefined) throw new RangeError('there is no peer');
    messages.push(messageOf(peer));
    if (index % SIGNED_AT_ONCE === 0) await wait(1);
  }
  await wait(REST_MS);
  return messages;
}

/** Takes every bid and never says a word again: what holds a provider's negotiations longest. */
async function hold(channel: Channel): Promise<void> {
  try {
    await channel.receive();
    await channel.ended;
  } catch {
    channel.abort();
  }
}

function sendAll(
  peers: readonly BenchPeer[],
  topic: string,
  messages: readonly Uint8Array[],
  done: (report: Omit<FloodReport, 'bids'>) => void,
): void {
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(messages.length, ((performance.now() - startedMs) * PER_SECOND) / 1000);
    for (; sent < due; sent += 1) {
      const message = messages[sent];
      if (message !== undefined) peers[sent % peers.length]?.underlay.publish(topic, message).catch(() => {});
    }
    if (sent < messages.length) return;
    clearInterval(timer);
    done({ sent, perSecond: sent / ((performance.now() - startedMs) / 1000) });
  }, TICK_MS);
}

async function flood(network: string, provider: string, identities: number): Promise<void> {
  const { negotiation, requestsTopic: topic } = protocolNames(network);
  let bids = 0;
  const peers = Array.from({ length: identities }, () =>
    createBenchPeer(identityOf(randomBytes(32)), network, provider),
  );
  for (let index = 0; index < peers.length; index += STARTED_AT_ONCE) {
    const group = peers.slice(index, index + STARTED_AT_ONCE);
    await Promise.all(
      group.map(async (peer) => {
        peer.underlay.handle(negotiation, defaultNetworkLimits.protocols.negotiation, (channel) => {
          bids += 1;
          void hold(channel);
        });
        await peer.underlay.start();
        await heard(peer, network);
      }),
    );
  }
  process.on('message', ({ seconds }: FloodOrder) => {
    void messagesOf(peers, seconds * PER_SECOND).then((messages) => {
      process.send?.('signed');
      sendAll(peers, topic, messages, (report) => process.send?.({ ...report, bids } satisfies FloodReport));
    });
  });
  process.send?.('connected');
}

if (import.meta.main) {
  const [, , network = '', provider = '', identities = '1'] = process.argv;
  process.once('disconnect', () => process.exit());
  await flood(network, provider, Number(identities));
}
