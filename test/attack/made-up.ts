import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Advert } from '../../src/domain/market/advert.ts';
import type { Bid } from '../../src/domain/market/bid.ts';
import type { Notary } from '../../src/domain/market/evidence.ts';
import type { ServingItem, ServingList } from '../../src/domain/market/serving.ts';
import { createNotary } from '../../src/identity/index.ts';
import { peerIdOf } from '../../src/identity/peer-id.ts';
import { contentIdOf } from '../../src/lib/canonical.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame, type FrameKind } from '../../src/messages/frame.ts';
import { encodeFrame as withLength } from '../../src/network/libp2p/frame-decoder.ts';

const PEER_RECORD_BYTES = 220;
const GIB = 2 ** 30;

/** A signer that nobody has heard of; made ten times as fast as an identity of a node. */
export function newSigner(network: string): Notary {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicKey = new Uint8Array(Buffer.from(jwk.x ?? '', 'base64url'));
  const privateKeyRaw = new Uint8Array(Buffer.concat([Buffer.from(jwk.d ?? '', 'base64url'), publicKey]));
  return createNotary(
    { peerId: peerIdOf(publicKey), did: '', publicKey, privateKeyRaw },
    network,
    systemClock,
  );
}

export function contentId(): string {
  return contentIdOf(randomBytes(32));
}

/** As bytes of a stream: its length before it. */
export function framed(kind: FrameKind, body: unknown): Uint8Array {
  return withLength(encodeFrame({ kind, body }));
}

/** Signed, and without the length that only streams have. */
export function signedFrame(notary: Notary, kind: FrameKind, value: unknown): Uint8Array {
  const body = envelopeOf(notary.sign(kind as Parameters<Notary['sign']>[0], value));
  return encodeFrame({ kind, body });
}

/** A machine that would suit every job, for next to nothing. */
export function advert(providerRecord: Uint8Array = randomBytes(PEER_RECORD_BYTES)): Advert {
  const amounts = { cpuMillis: 64_000, memoryBytes: 256 * GIB, diskBytes: 1024 * GIB, gpus: [] };
  return {
    nodeVersion: '0.1.0',
    cpu: { cores: 64, arch: 'x64', model: 'made up', vendor: 'nobody' },
    engines: { wasm: '1.0.0', python: '3.12.0' },
    runtimes: {},
    labels: {},
    location: {},
    onboarded: amounts,
    free: amounts,
    price: { amount: '0.0001', currency: 'USD', per: 'hour' },
    draining: false,
    validForMs: 24 * 60 * 60 * 1000,
    sequence: Date.now(),
    providerRecord,
  };
}

export function bid(changes: Partial<Bid> = {}): Bid {
  const id = randomBytes(16).toString('hex');
  return {
    bidId: `bid-${id}`,
    requestId: `request-${id}`,
    jobId: `job-${id}`,
    price: { amount: '0.0001', currency: 'USD', per: 'hour' },
    time: { durationMs: 3_600_000, startWithinMs: 60_000 },
    startsInMs: 0,
    validForMs: 60_000,
    slots: 1,
    comparison: { fields: [], hardOk: true, softScore: 1000 },
    load: 0,
    fit: { cpuFree: 1, memoryFree: 1, diskFree: 1, gpusFree: 0, gpus: 0 },
    providerRecord: randomBytes(PEER_RECORD_BYTES),
    ...changes,
  };
}

/** Executions that nobody has. */
export function servingList(number: number, items: number): ServingList {
  return { number, items: Array.from({ length: items }, servingItem) };
}

function servingItem(): ServingItem {
  const id = randomBytes(16).toString('hex');
  return {
    executionId: `${id}.v1.p0r0.a1`,
    contractId: contentId(),
    attempt: 1,
    sequence: 1,
    state: 'Running',
  };
}
