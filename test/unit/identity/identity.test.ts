import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import * as ed25519 from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { fc, test } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../src/identity/key-file.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { didKeyOf, peerIdOf, publicKeyOf } from '../../../src/identity/peer-id.ts';
import { createSignatureVerifier, createSigner } from '../../../src/identity/signatures.ts';
import { isSmallOrderKey } from '../../../src/identity/small-order.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';

ed25519.hashes.sha512 = sha512;

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const FEW = { numRuns: 15 };

describe('peer ids', () => {
  test.prop([seeds], FEW)('are those of libp2p and hold the public key', (seed) => {
    const { peerId, publicKey, privateKeyRaw } = identityOf(seed);
    expect(peerId).toBe(peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString());
    expect(publicKeyOf(peerId)).toEqual(publicKey);
    expect(privateKeyRaw).toEqual(new Uint8Array([...seed, ...publicKey]));
  });

  it('has the did:key of the same key', () => {
    // The test vector of the did:key specification for Ed25519.
    const publicKey = Buffer.from('2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6', 'hex');
    expect(didKeyOf(publicKey)).toBe('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK');
  });

  it.each([
    '',
    'nonsense!',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    '12D3KooW',
    `1${'2'.repeat(60)}`,
  ])('holds no key when it is %j', (text) => {
    expect(publicKeyOf(text)).toBeUndefined();
  });
});

describe('signatures', () => {
  test.prop([seeds, fc.uint8Array({ maxLength: 600 })], FEW)(
    'agree with the second implementation, both ways',
    (seed, bytes) => {
      const identity = identityOf(seed);
      const signature = createSigner(identity).sign(bytes);
      expect(signature).toEqual(ed25519.sign(bytes, seed));
      expect(ed25519.verify(signature, bytes, identity.publicKey, { zip215: false })).toBe(true);
      expect(createSignatureVerifier().verify(identity.peerId, bytes, ed25519.sign(bytes, seed))).toBe(true);
    },
  );

  test.prop(
    [seeds, fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.integer({ min: 1, max: 255 })],
    FEW,
  )('do not hold after any change', (seed, bytes, position, flip) => {
    const identity = identityOf(seed);
    const verifier = createSignatureVerifier();
    const signature = createSigner(identity).sign(bytes);
    const changed = (original: Uint8Array): Uint8Array =>
      original.map((byte, index) => (index === position % original.length ? byte ^ flip : byte));
    expect(verifier.verify(identity.peerId, changed(bytes), signature)).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, changed(signature))).toBe(false);
    expect(verifier.verify(peerIdOf(changed(identity.publicKey)), bytes, signature)).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, signature)).toBe(true);
  });

  it('are refused from small-order keys, as the second implementation refuses them', () => {
    // Multiples of a point of order eight are all the points of small order.
    const torsion = ed25519.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    const verifier = createSignatureVerifier();
    const bytes = new Uint8Array([1, 2, 3]);
    const encodings = new Set<string>();
    for (let factor = 0n, point = ed25519.Point.ZERO; factor < 8n; factor += 1n, point = point.add(torsion)) {
      const publicKey = point.toBytes();
      encodings.add(Buffer.from(publicKey).toString('hex'));
      expect(point.isSmallOrder()).toBe(true);
      expect(isSmallOrderKey(publicKey)).toBe(true);
      // R = the identity point, s = 0: what a lenient verifier takes from such a key.
      const forged = new Uint8Array(64);
      forged[0] = 1;
      expect(verifier.verify(peerIdOf(publicKey), bytes, forged)).toBe(false);
      expect(ed25519.verify(forged, bytes, publicKey, { zip215: false })).toBe(false);
    }
    expect(encodings.size).toBe(8);
    expect(isSmallOrderKey(identityOf(new Uint8Array(32)).publicKey)).toBe(false);
  });

  it('do not hold for signers that are no keys or signatures of another length', () => {
    const identity = identityOf(new Uint8Array(32));
    const verifier = createSignatureVerifier();
    const bytes = new Uint8Array([1]);
    expect(verifier.verify('somebody', bytes, createSigner(identity).sign(bytes))).toBe(false);
    expect(verifier.verify(identity.peerId, bytes, new Uint8Array(0))).toBe(false);
    expect(verifier.verify(peerIdOf(new Uint8Array(32).fill(0xff)), bytes, new Uint8Array(64))).toBe(false);
  });
});

describe('the identity file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bidmesh-identity-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, for its owner only, and read again after that', async () => {
    const dataDir = join(folder, 'node');
    const made = await loadIdentity(dataDir, new SeededRandom('first'));
    expect((await stat(join(dataDir, 'identity.json'))).mode & 0o777).toBe(0o600);
    expect(await loadIdentity(dataDir, new SeededRandom('second'))).toEqual(made);
  });

  it('is one file when two make it at once', async () => {
    const [a, b] = await Promise.all([
      loadIdentity(folder, new SeededRandom('a')),
      loadIdentity(folder, new SeededRandom('b')),
    ]);
    expect(a).toEqual(b);
  });

  it('is refused when other users can read it', async () => {
    await loadIdentity(folder, new SeededRandom(1));
    await chmod(join(folder, 'identity.json'), 0o644);
    await expect(loadIdentity(folder, new SeededRandom(1))).rejects.toMatchObject({
      code: 'IDENTITY_EXPOSED',
    });
  });

  it.each([
    ['no JSON', () => '{'],
    ['another shape', () => '{"type":"RSA"}'],
    ['a short seed', (text: string) => text.replace(/"seed":"[^"]*"/, '"seed":"AAAA"')],
    [
      'a seed of another node',
      (text: string) => text.replace(/"seed":"[^"]*"/, `"seed":"${'A'.repeat(43)}="`),
    ],
  ])('is refused, and left alone, when it holds %s', async (_what, damage) => {
    const path = join(folder, 'identity.json');
    await loadIdentity(folder, new SeededRandom(1));
    const damaged = damage(await readFile(path, 'utf8'));
    await writeFile(path, damaged);
    await expect(loadIdentity(folder, new SeededRandom(2))).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    });
    expect(await readFile(path, 'utf8')).toBe(damaged);
  });
});
