import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Peer, PeerData, PeerId } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { beforeEach, describe, expect, it } from 'vitest';
import { rememberProtocols } from '../../../src/network/libp2p/known-protocols.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';

const BID = '/bid/1';
const PING = '/ping/1';

/** A store that knows the protocols of peers, and counts what it is asked to do. */
class CountingStore {
  readonly protocols = new Map<string, Set<string>>();
  readonly asked: string[] = [];

  merge(id: PeerId, { protocols = [] }: PeerData): Promise<Peer> {
    this.asked.push('merge');
    return this.#with(id, [...(this.protocols.get(id.toString()) ?? []), ...protocols]);
  }

  patch(id: PeerId, { protocols = [] }: PeerData): Promise<Peer> {
    this.asked.push('patch');
    return this.#with(id, protocols);
  }

  save(id: PeerId, { protocols = [] }: PeerData): Promise<Peer> {
    this.asked.push('save');
    return this.#with(id, protocols);
  }

  delete(id: PeerId): Promise<void> {
    this.asked.push('delete');
    this.protocols.delete(id.toString());
    return Promise.resolve();
  }

  #with(id: PeerId, protocols: readonly string[]): Promise<Peer> {
    this.protocols.set(id.toString(), new Set(protocols));
    return Promise.resolve({ id, protocols: [...new Set(protocols)] } as unknown as Peer);
  }
}

describe('known protocols', () => {
  let clock: FakeClock;
  let store: CountingStore;
  let ids: PeerId[];

  beforeEach(async () => {
    clock = new FakeClock();
    store = new CountingStore();
    ids = [];
    for (let index = 0; index < 2; index += 1)
      ids.push(peerIdFromPrivateKey(await generateKeyPair('Ed25519')));
    rememberProtocols(store, clock);
  });

  const merge = (protocols: string[], index = 0): Promise<Peer> => store.merge(ids[index]!, { protocols });

  it('are written down once for each peer', async () => {
    await merge([BID]);
    const peer = await merge([BID]);
    expect(peer.protocols).toEqual([BID]);
    await merge([BID], 1);
    expect(store.asked).toEqual(['merge', 'merge']);
  });

  it('are written down when one is new', async () => {
    await merge([BID]);
    await merge([PING]);
    await merge([BID, PING]);
    expect(store.asked).toEqual(['merge', 'merge']);
    expect([...store.protocols.values()]).toEqual([new Set([BID, PING])]);
  });

  it('are no reason to leave out what comes with them', async () => {
    await merge([BID]);
    await store.merge(ids[0]!, { protocols: [BID], tags: { kept: { value: 1 } } });
    await store.merge(ids[0]!, {});
    expect(store.asked).toEqual(['merge', 'merge', 'merge']);
  });

  it.each(['patch', 'save', 'delete'] as const)('are written down again after a %s', async (change) => {
    await merge([BID]);
    await store[change](ids[0]!, { protocols: [] });
    await merge([BID]);
    expect(store.asked).toEqual(['merge', change, 'merge']);
    expect([...store.protocols.values()]).toEqual([new Set([BID])]);
  });

  it('are written down again after ten minutes', async () => {
    await merge([BID]);
    await clock.advanceBy(599_999);
    await merge([BID]);
    expect(store.asked).toHaveLength(1);
    await clock.advanceBy(1);
    await merge([BID]);
    expect(store.asked).toHaveLength(2);
  });
});
