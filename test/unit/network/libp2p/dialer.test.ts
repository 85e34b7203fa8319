import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Ed25519PrivateKey, PeerInfo } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import { DialPolicy } from '../../../../src/network/libp2p/dial-policy.ts';
import { Dialer } from '../../../../src/network/libp2p/dialer.ts';
import { sealPeerRecord } from '../../../../src/network/libp2p/peer-record.ts';

const STALE = '/ip4/203.0.113.1/tcp/4001';
const FRESH = '/ip4/203.0.113.2/tcp/4001';
const PRIVATE = '/ip4/10.0.0.1/tcp/4001';
const OPTIONS = { maxAddressesDialled: 3, addressDialTimeoutMs: 1000 };
const AMPLE = { burst: 100, perSecond: 100 };

describe('the dialer', () => {
  let key: Ed25519PrivateKey;
  let peer: string;
  let dialled: string[];
  let lookups: number;
  let policy: DialPolicy;

  beforeEach(async () => {
    key = await generateKeyPair('Ed25519');
    peer = peerIdFromPrivateKey(key).toString();
    dialled = [];
    lookups = 0;
    const limits = {
      dialsInTotal: AMPLE,
      dialsPerPrefix: AMPLE,
      dialsForStrangers: { burst: 1, perSecond: 0 },
    };
    policy = new DialPolicy(limits, systemClock, () => 'public');
  });

  const connection = { status: 'open' } as unknown as Connection;

  /** Only the address `answering` leads to the peer; looking the peer up gives `found`. */
  function dialer(answering: string, found: readonly string[] | undefined): Dialer {
    return new Dialer(OPTIONS, {
      clock: systemClock,
      policy,
      dial: async (address: Multiaddr) => {
        const text = address.toString();
        dialled.push(text);
        expect(policy.denies(address)).toBe(false);
        if (text !== `${answering}/p2p/${peer}`) throw new Error('refused');
        return connection;
      },
      routing:
        found === undefined
          ? undefined
          : {
              findPeer: async (id): Promise<PeerInfo> => {
                lookups += 1;
                return { id, multiaddrs: found.map((text) => multiaddr(text)) };
              },
            },
    });
  }

  const recordOf = (...addresses: string[]): Promise<Uint8Array> =>
    sealPeerRecord(
      key,
      addresses.map((text) => multiaddr(text)),
      1,
    );

  it('does not look up a peer that is where its record says', async () => {
    const subject = dialer(STALE, [FRESH]);
    expect(await subject.connect(peer, await recordOf(STALE), { timeoutMs: 1000 })).toBe(connection);
    expect(lookups).toBe(0);
  });

  it('looks a peer up once when its record leads nowhere', async () => {
    const subject = dialer(FRESH, [FRESH]);
    expect(await subject.connect(peer, await recordOf(STALE), { timeoutMs: 1000 })).toBe(connection);
    expect(dialled).toEqual([`${STALE}/p2p/${peer}`, `${FRESH}/p2p/${peer}`]);
    expect(lookups).toBe(1);
  });

  it('dials found addresses by the same rules', async () => {
    const subject = dialer(PRIVATE, [PRIVATE, `${PRIVATE}/ws`]);
    await expect(subject.connect(peer, await recordOf(STALE), { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    expect(dialled).toEqual([`${STALE}/p2p/${peer}`]);
    expect(lookups).toBe(1);
  });

  it('holds addresses that it may not dial apart from those that lead nowhere', async () => {
    const subject = dialer(FRESH, undefined);
    for (const record of [await recordOf(PRIVATE, '/ip4/127.0.0.1/tcp/4001'), await recordOf()]) {
      await expect(subject.connect(peer, record, { timeoutMs: 1000 })).rejects.toMatchObject({
        code: 'ADDRESS_REFUSED',
      });
    }
    expect(dialled).toEqual([]);
    await expect(
      subject.connect(peer, await recordOf(PRIVATE, STALE), { timeoutMs: 1000 }),
    ).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
  });

  it('lets a peer answer for its record only, and not for what others say of it', async () => {
    const subject = dialer(FRESH, [STALE]);
    await expect(subject.connect(peer, await recordOf(PRIVATE), { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ADDRESS_REFUSED',
    });
    expect(dialled).toEqual([`${STALE}/p2p/${peer}`]);
  });

  it('gives up without a lookup', async () => {
    await expect(
      dialer(FRESH, undefined).connect(peer, await recordOf(STALE), { timeoutMs: 1000 }),
    ).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    expect(dialled).toHaveLength(1);
  });

  it('denies libp2p what nobody exempted', () => {
    expect(policy.denies(multiaddr(PRIVATE))).toBe(true);
    expect(policy.denies(multiaddr(FRESH))).toBe(false);
  });

  it('exempts addresses only while they are dialled', async () => {
    const address = multiaddr(`${PRIVATE}/p2p/${peer}`);
    await policy.exempting([address], async () => {
      await policy.exempting([address], async () => {});
      expect(policy.denies(address)).toBe(false);
    });
    expect(policy.denies(address)).toBe(true);
  });

  it('dials for strangers out of a smaller budget, and for others all the same', async () => {
    const subject = dialer(FRESH, undefined);
    const strangers = await recordOf(STALE, FRESH);
    await expect(
      subject.connect(peer, strangers, { timeoutMs: 1000, forStranger: true }),
    ).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await expect(
      subject.connect(peer, strangers, { timeoutMs: 1000, forStranger: true }),
    ).rejects.toMatchObject({ code: 'DIAL_BUDGET_EXHAUSTED' });
    expect(dialled).toHaveLength(1);
    expect(await subject.connect(peer, strangers, { timeoutMs: 1000 })).toBe(connection);
  });
});
