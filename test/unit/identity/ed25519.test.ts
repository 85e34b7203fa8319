import * as noble from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it, vi } from 'vitest';
import { fastestEd25519 } from '../../../src/identity/ed25519.ts';
import { libsodium } from '../../../src/identity/ed25519-libsodium.ts';
import { openssl } from '../../../src/identity/ed25519-openssl.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { peerIdOf } from '../../../src/identity/peer-id.ts';
import { createSignatureVerifier, createSigner } from '../../../src/identity/signatures.ts';
import { isSmallOrderKey } from '../../../src/identity/small-order.ts';

noble.hashes.sha512 = sha512;

const implementations = [
  ['libsodium', libsodium],
  ['OpenSSL', openssl],
] as const;

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const FEW = { numRuns: 15 };

/** A point of order eight: its multiples are all the points of small order. */
const TORSION = noble.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const { n: ORDER, p: PRIME } = noble.Point.CURVE();

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

interface Crafted {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** A signature by one who knows the key, with points of small order added to key and nonce as he likes. */
function crafted(keyTorsion: bigint, nonceTorsion: bigint, nonce: bigint, attempt: number): Crafted {
  const secret = 12_345_678_901_234_567_890n;
  const key = noble.Point.BASE.multiply(secret).add(timesTorsion(keyTorsion));
  const base = nonce === 0n ? noble.Point.ZERO : noble.Point.BASE.multiply(nonce);
  const publicKey = key.toBytes();
  const commitment = base.add(timesTorsion(nonceTorsion)).toBytes();
  const bytes = new Uint8Array([attempt]);
  const challenge = numberOf(sha512(new Uint8Array([...commitment, ...publicKey, ...bytes]))) % ORDER;
  const response = littleEndian((nonce + challenge * secret) % ORDER);
  return { publicKey, bytes, signature: new Uint8Array([...commitment, ...response]) };
}

function timesTorsion(factor: bigint): noble.Point {
  return factor === 0n ? noble.Point.ZERO : TORSION.multiply(factor);
}

function verdicts({ publicKey, bytes, signature }: Crafted): readonly (boolean | undefined)[] {
  return implementations.map(([, native]) => native.verifier(publicKey)?.(bytes, signature) ?? false);
}

describe('the implementations of Ed25519', () => {
  test.prop([fc.bigInt(0n, 7n), fc.bigInt(0n, 7n), fc.bigInt(0n, 3n), fc.nat(255)], { numRuns: 100 })(
    'agree on signatures with points of small order in them',
    (keyTorsion, nonceTorsion, nonce, attempt) => {
      const [first, ...others] = verdicts(crafted(keyTorsion, nonceTorsion, nonce, attempt));
      for (const other of others) expect(other).toBe(first);
      if (keyTorsion === 0n && nonceTorsion === 0n && nonce > 0n) expect(first).toBe(true);
    },
  );

  it('refuse keys that are written in another way than the shortest', () => {
    const signature = new Uint8Array(64);
    signature[0] = 1;
    for (let y = PRIME; y < 2n ** 255n; y += 1n) {
      const publicKey = littleEndian(y);
      expect(verdicts({ publicKey, bytes: new Uint8Array(), signature })).toEqual([false, false]);
    }
  });

  it('refuse a response that is larger by the order of the group', () => {
    const good = crafted(0n, 0n, 5n, 0);
    const response = numberOf(good.signature.subarray(32)) + ORDER;
    const signature = new Uint8Array([...good.signature.subarray(0, 32), ...littleEndian(response)]);
    expect(verdicts(good)).toEqual([true, true]);
    expect(verdicts({ ...good, signature })).toEqual([false, false]);
  });

  it('are chosen from by speed, and by what the machine can load', async () => {
    expect(await fastestEd25519()).toBe(libsodium);
    vi.resetModules();
    vi.doMock('sodium-native', () => {
      throw new Error('not built for this machine');
    });
    const { fastestEd25519: without } = await import('../../../src/identity/ed25519.ts');
    const { openssl: other } = await import('../../../src/identity/ed25519-openssl.ts');
    expect(await without()).toBe(other);
    vi.doUnmock('sodium-native');
    vi.resetModules();
  });
});

describe.each(implementations)('signatures of %s', (_name, native) => {
  test.prop([seeds, fc.uint8Array({ maxLength: 600 })], FEW)(
    'agree with the second implementation, both ways',
    (seed, bytes) => {
      const identity = identityOf(seed);
      const signature = createSigner(identity, native).sign(bytes);
      expect(signature).toEqual(noble.sign(bytes, seed));
      expect(noble.verify(signature, bytes, identity.publicKey, { zip215: false })).toBe(true);
      expect(createSignatureVerifier(native).verify(identity.peerId, bytes, noble.sign(bytes, seed))).toBe(
        true,
      );
    },
  );

  test.prop(
    [seeds, fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.integer({ min: 1, max: 255 })],
    FEW,
  )('do not hold after any change', (seed, bytes, position, flip) => {
    const identity = identityOf(seed);
    const verifier = createSignatureVerifier(native);
    const signature = createSigner(identity, native).sign(bytes);
    const changed = (original: Uint8Array): Uint8Array =>
      original.map((byte, index) => (index === position % original.length ? byte ^ flip : byte));
    expect(verifier.verify(identity.peerId, changed(bytes), signature)).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, changed(signature))).toBe(false);
    expect(verifier.verify(peerIdOf(changed(identity.publicKey)), bytes, signature)).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, signature)).toBe(true);
  });

  it('are refused from small-order keys, as the second implementation refuses them', () => {
    const verifier = createSignatureVerifier(native);
    const bytes = new Uint8Array([1, 2, 3]);
    const encodings = new Set<string>();
    for (let factor = 0n, point = noble.Point.ZERO; factor < 8n; factor += 1n, point = point.add(TORSION)) {
      const publicKey = point.toBytes();
      encodings.add(Buffer.from(publicKey).toString('hex'));
      expect(point.isSmallOrder()).toBe(true);
      expect(isSmallOrderKey(publicKey)).toBe(true);
      // R = the identity point, s = 0: what a lenient verifier takes from such a key.
      const forged = new Uint8Array(64);
      forged[0] = 1;
      expect(verifier.verify(peerIdOf(publicKey), bytes, forged)).toBe(false);
      expect(noble.verify(forged, bytes, publicKey, { zip215: false })).toBe(false);
    }
    expect(encodings.size).toBe(8);
    expect(isSmallOrderKey(identityOf(new Uint8Array(32)).publicKey)).toBe(false);
  });

  it('do not hold for signers that are no keys or signatures of another length', () => {
    const identity = identityOf(new Uint8Array(32));
    const verifier = createSignatureVerifier(native);
    const bytes = new Uint8Array([1]);
    expect(verifier.verify('somebody', bytes, createSigner(identity, native).sign(bytes))).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, new Uint8Array(0))).toBe(false);
    expect(verifier.verify(peerIdOf(new Uint8Array(32).fill(0xff)), bytes, new Uint8Array(64))).toBe(false);
  });
});
