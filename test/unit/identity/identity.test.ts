import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { fc, test } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../src/identity/key-file.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { didKeyOf, publicKeyOf } from '../../../src/identity/peer-id.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';

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
