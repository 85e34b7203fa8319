import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { fc, test } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../src/identity/key-file.ts';
import { claimStore } from '../../../src/identity/ownership.ts';
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

  it.each(['store', 'content'])('is not made anew beside a used %s', async (left) => {
    await loadIdentity(folder, new SeededRandom(1));
    await mkdir(join(folder, left));
    await writeFile(join(folder, left, 'CURRENT'), 'x');
    await rm(join(folder, 'identity.json'));
    await expect(loadIdentity(folder, new SeededRandom(2))).rejects.toMatchObject({
      code: 'IDENTITY_MISSING',
      message: expect.stringMatching(new RegExp(`it still has ${left}.*Put the key file back`)),
    });
    expect(await readdir(folder)).toEqual([left]);
  });

  it('is made beside folders that nothing was put in yet', async () => {
    await mkdir(join(folder, 'store'));
    await expect(loadIdentity(folder, new SeededRandom(1))).resolves.toBeDefined();
  });

  it.each([0o777, 0o770, 0o755, 0o701, 0o707])(
    'is not used in a folder that is open to others (%o), nor made there',
    async (mode) => {
      const exposed = { code: 'DATA_DIR_EXPOSED', message: expect.stringContaining('chmod 700') };
      await writeFile(join(folder, 'something.else'), '');
      await chmod(folder, mode);
      await expect(loadIdentity(folder, new SeededRandom(1))).rejects.toMatchObject(exposed);
      expect(await readdir(folder)).toEqual(['something.else']);
      await chmod(folder, 0o700);
      const { peerId } = await loadIdentity(folder, new SeededRandom(1));
      await chmod(folder, mode);
      await expect(loadIdentity(folder, new SeededRandom(1))).rejects.toMatchObject(exposed);
      await chmod(folder, 0o750);
      expect((await loadIdentity(folder, new SeededRandom(2))).peerId).toBe(peerId);
    },
  );

  it.each([[[]], [['config.yaml']]])('shuts a folder that has nothing in it but %j', async (entries) => {
    for (const entry of entries) await writeFile(join(folder, entry), '');
    await chmod(folder, 0o755);
    await loadIdentity(folder, new SeededRandom(1));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
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

describe('whose store it is', () => {
  const notes = () => {
    const kept = new Map<string, Uint8Array>();
    return {
      get: (name: string) => Promise.resolve(kept.get(name)),
      put: (name: string, value: Uint8Array) => Promise.resolve(void kept.set(name, value)),
    };
  };

  it('is noted once, and another key is refused from then on', async () => {
    const store = notes();
    await claimStore(store, 'one', '/data');
    await claimStore(store, 'one', '/data');
    await expect(claimStore(store, 'two', '/data')).rejects.toMatchObject({
      code: 'IDENTITY_CHANGED',
      message: expect.stringMatching(/belongs to the node one.*key is that of two.*Put the key of one back/),
    });
    await claimStore(store, 'one', '/data');
  });
});
