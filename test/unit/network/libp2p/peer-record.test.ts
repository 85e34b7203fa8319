import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record';
import { multiaddr } from '@multiformats/multiaddr';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkPeerRecord, sealPeerRecord } from '../../../../src/network/libp2p/peer-record.ts';

const ADDRESSES = Array.from({ length: 9 }, (_, index) => multiaddr(`/ip4/127.0.0.1/tcp/${4001 + index}`));

describe('a peer record', () => {
  let key: Ed25519PrivateKey;
  let bytes: Uint8Array;

  beforeAll(async () => {
    key = await generateKeyPair('Ed25519');
    bytes = await sealPeerRecord(key, ADDRESSES.slice(0, 2), 1_800_000_000_000);
  });

  it('names the peer and its addresses', async () => {
    const checked = await checkPeerRecord(bytes);
    expect(checked).toMatchObject({ ok: true, peer: peerIdFromPrivateKey(key).toString() });
    expect(checked.ok && checked.addresses.map(String)).toEqual(ADDRESSES.slice(0, 2).map(String));
  });

  it('holds the first eight addresses', async () => {
    const checked = await checkPeerRecord(await sealPeerRecord(key, ADDRESSES, 1));
    expect(checked.ok && checked.addresses.map(String)).toEqual(ADDRESSES.slice(0, 8).map(String));
  });

  it('is refused when any byte of it was changed', async () => {
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = bytes.slice();
      changed[index] = (changed[index] ?? 0) ^ 0x01;
      const checked = await checkPeerRecord(changed);
      expect(checked.ok, `byte ${index}`).toBe(false);
    }
  });

  it('is refused when another peer signed it', async () => {
    const other = await generateKeyPair('Ed25519');
    const record = new PeerRecord({ peerId: peerIdFromPrivateKey(key), multiaddrs: [ADDRESSES[0]!] });
    const forged = (await RecordEnvelope.seal(record, other)).marshal();
    expect(await checkPeerRecord(forged)).toMatchObject({ ok: false, code: 'PEER_RECORD_INVALID' });
  });

  it('is refused with too many addresses, another kind of key, or too many bytes', async () => {
    const record = new PeerRecord({ peerId: peerIdFromPrivateKey(key), multiaddrs: [...ADDRESSES] });
    const long = (await RecordEnvelope.seal(record, key)).marshal();
    expect(await checkPeerRecord(long)).toMatchObject({ ok: false });

    const curve = await generateKeyPair('secp256k1');
    const foreign = new PeerRecord({ peerId: peerIdFromPrivateKey(curve), multiaddrs: [ADDRESSES[0]!] });
    expect(await checkPeerRecord((await RecordEnvelope.seal(foreign, curve)).marshal())).toMatchObject({
      ok: false,
    });

    expect(await checkPeerRecord(new Uint8Array(10_000))).toMatchObject({ ok: false });
    expect(await checkPeerRecord(new Uint8Array())).toMatchObject({ ok: false });
  });
});
