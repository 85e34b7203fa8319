import type { BidRequest } from '../../src/domain/market/bid.ts';
import type { ContractTerms } from '../../src/domain/market/contract.ts';
import { contentIdOf } from '../../src/lib/canonical.ts';
import { encodeDataFrame } from '../../src/messages/data-frame.ts';
import { envelopeOf, readEnvelope } from '../../src/messages/envelope.ts';
import { decodeFrame, encodeFrame } from '../../src/messages/frame.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import type { Channel } from '../../src/network/underlay.ts';
import type { BenchPeer } from '../bench/bench-peer.ts';
import type { Scene } from './attack.ts';
import { bargained, next, signedValue } from './bargaining.ts';
import { hears } from './gossip.ts';
import { advert, bid, signedFrame } from './made-up.ts';
import { pause } from './persistence.ts';

const { protocols } = defaultNetworkLimits;
const OPEN_TIMEOUT_MS = 3000;

export interface Result {
  readonly cid: string;
  readonly blocks: readonly Uint8Array[];
}

/**
 * Tells the requester of a machine that suits everything, bids less than anybody, and signs; then it says that the work
 * is done and serves the result. Without a result it never says another word once it has the job.
 */
export async function provide(scene: Scene, result: Result | undefined, signal: AbortSignal): Promise<void> {
  const peer = scene.peer(scene.requester);
  const { underlay } = peer;
  const { names } = scene;
  underlay.subscribe(names.requestsTopic, (_from, message) => {
    const frame = decodeFrame(message, underlay.maxGossipBytes);
    if (frame.ok && frame.value.kind === 'bid-request')
      win(scene, peer, signedValue<BidRequest>(frame.value), result).catch(() => scene.count('lost'));
    return 'accept';
  });
  underlay.subscribe(names.advertsTopic, () => 'accept');
  underlay.handle(names.content, protocols.content, (channel) => {
    scene.count('results asked for');
    serve(channel, result?.blocks ?? []).catch(() => channel.abort());
  });
  await underlay.start();
  await hears(peer, scene.requester, names.advertsTopic, signal);
  while (!signal.aborted) {
    await underlay.publish(
      names.advertsTopic,
      signedFrame(peer.notary, 'advert', advert(underlay.peerRecord())),
    );
    await pause(1000, signal);
  }
}

async function win(
  scene: Scene,
  peer: BenchPeer,
  request: BidRequest,
  result: Result | undefined,
): Promise<void> {
  const { underlay, notary } = peer;
  const open = (protocol: string, limits: typeof protocols.serving): Promise<Channel> =>
    underlay.open(scene.requester.peerId, protocol, limits, { timeoutMs: OPEN_TIMEOUT_MS });
  const channel = await open(scene.names.negotiation, protocols.negotiation);
  const { requestId, jobId } = request;
  const offered = bid({
    requestId,
    jobId,
    providerRecord: underlay.peerRecord(),
    lock: { lockId: `lock-${requestId}`.slice(0, 64), version: 1, ttlMs: 60_000 },
  });
  await channel.send(signedFrame(notary, 'bid', offered));
  scene.count('bids');
  const frame = await next(channel);
  if (frame.kind !== 'proposal') return;
  scene.count('proposals');
  if (result === undefined) return;
  const { terms, body } = countersigned(peer, frame.body);
  await channel.send(encodeFrame({ kind: 'signed-contract', body }));
  const serving = await open(scene.names.serving, protocols.serving);
  const { executionId, attempt } = terms;
  const item = { executionId, contractId: body.contractId, attempt, startedAt: Date.now() };
  await serving.send(
    signedFrame(notary, 'serving-list', { number: 1, items: [{ ...item, sequence: 1, state: 'Running' }] }),
  );
  const done = {
    ...item,
    sequence: 2,
    state: 'Publishing',
    finishedAt: Date.now(),
    exitCode: 0,
    exitReason: 'completed',
    resultCid: result.cid,
    resultBytes: 1000,
    usage: { wallClockMs: 1, cpuMs: 1 },
  };
  await serving.send(signedFrame(notary, 'serving-list', { number: 2, items: [done] }));
  scene.count('results');
}

function countersigned(
  { notary }: BenchPeer,
  proposal: unknown,
): { terms: ContractTerms; body: { contractId: string } } {
  const envelope = readEnvelope(bargained(proposal));
  if (envelope === undefined) throw new Error('no terms');
  const { payload } = envelope;
  const terms = signedValue<ContractTerms>({ kind: 'proposal', body: envelope });
  const evidence = { type: 'contract-terms' as const, value: terms, ...envelope };
  const body = {
    contractId: contentIdOf(payload),
    terms: envelopeOf(evidence),
    providerSignature: notary.countersign(evidence),
  };
  return { terms, body };
}

async function serve(channel: Channel, blocks: readonly Uint8Array[]): Promise<void> {
  await channel.receive();
  for (const bytes of blocks) await channel.send(encodeDataFrame({ kind: 'data', bytes }));
  await channel.send(encodeDataFrame({ kind: 'end' }));
  await channel.close();
}
