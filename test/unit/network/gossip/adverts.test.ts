import { beforeEach, describe, expect, it } from 'vitest';
import type { Advert } from '../../../../src/domain/market/advert.ts';
import type { Evidence } from '../../../../src/domain/market/evidence.ts';
import { encodeCanonical } from '../../../../src/lib/canonical.ts';
import { envelopeOf } from '../../../../src/messages/envelope.ts';
import { encodeFrame } from '../../../../src/messages/frame.ts';
import { ISSUED_AT_TOLERANCE_MS } from '../../../../src/messages/message.ts';
import { MESSAGE_VERSIONS } from '../../../../src/messages/versions.ts';
import type { AdvertHandler } from '../../../../src/registry/ports.ts';
import * as sample from '../../messages/samples.ts';
import { MarketWorld, names, type RawNode, scriptedProvider, type WorldNode } from '../market-world.ts';

interface ScriptedDesk extends AdvertHandler {
  readonly taken: Evidence<Advert>[];
  audienceChanges: number;
  verdict: ReturnType<AdvertHandler['take']>;
  isNews?: (signer: string) => boolean;
}

function scriptedDesk(): ScriptedDesk {
  const desk: ScriptedDesk = {
    taken: [],
    audienceChanges: 0,
    verdict: 'accept',
    take: (advert) => {
      desk.taken.push(advert);
      return desk.verdict;
    },
    audienceChanged: () => {
      desk.audienceChanges += 1;
    },
    peerDisconnected: () => {},
  };
  return desk;
}

describe('the adverts topic', () => {
  let world: MarketWorld;
  let desk: ScriptedDesk;
  let node: WorldNode;
  let peer: RawNode;

  beforeEach(async () => {
    world = new MarketWorld();
    desk = scriptedDesk();
    node = await world.node('node', { registry: desk });
    peer = await world.raw('peer', (underlay) => underlay.subscribe(names.advertsTopic, () => 'accept'));
  });

  const counts = (): Record<string, number> => node.network.counters();
  const signed = (over: Partial<Advert> = {}): Evidence<Advert> =>
    peer.notary.sign('advert', sample.advert(over));
  const framed = (advert: Evidence<Advert>): Uint8Array =>
    encodeFrame({ kind: 'advert', body: envelopeOf(advert) });

  async function say(message: Uint8Array): Promise<void> {
    await peer.underlay.publish(names.advertsTopic, message);
    await world.clock.advanceBy(10);
  }

  it('brings the adverts of others', async () => {
    const advert = signed();
    await say(framed(advert));
    expect(desk.taken).toEqual([advert]);
    expect(counts()).toMatchObject({ 'gossip.advert': 1 });
  });

  it('passes over a price that only a later release can read, and blames nobody', async () => {
    const price = { amount: '1', currency: 'USD', per: 'fortnight' };
    const advert = peer.notary.sign('advert', { ...sample.advert(), price });
    await say(encodeFrame({ kind: 'advert', body: envelopeOf(advert) }));
    expect(desk.taken).toEqual([]);
    expect(counts()).toMatchObject({ 'gossip.UNKNOWN_VALUE': 1 });
    expect(Object.keys(counts()).filter((name) => name.startsWith('fault.'))).toEqual([]);
  });

  it('passes on what the registry accepts, and nothing else', async () => {
    const heard: Uint8Array[] = [];
    world = new MarketWorld({ connectAll: false });
    desk = scriptedDesk();
    node = await world.node('node', { registry: desk });
    peer = await world.raw('peer');
    const far = await world.raw('far', (underlay) =>
      underlay.subscribe(names.advertsTopic, (_, message) => {
        heard.push(message);
        return 'accept';
      }),
    );
    world.simulation.connect(node.peer, peer.peer);
    world.simulation.connect(node.peer, far.peer);
    for (const verdict of ['accept', 'ignore', 'reject'] as const) {
      desk.verdict = verdict;
      await say(framed(signed({ sequence: heard.length + 10 })));
    }
    await world.clock.advanceBy(100);
    expect(desk.taken).toHaveLength(3);
    expect(heard).toHaveLength(1);
    expect(counts()).toMatchObject({ 'gossip.advert': 1, 'gossip.repeat': 1, 'gossip.MALFORMED': 1 });
  });

  it.each<[string, string, (advert: Evidence<Advert>) => Uint8Array]>([
    [
      'changed on the way',
      'BAD_SIGNATURE',
      ({ value, signature, signer }) => {
        const header = { v: MESSAGE_VERSIONS.advert, network: 'testnet', issuedAt: world.clock.nowMs() };
        const payload = encodeCanonical({ ...header, value: { ...value, draining: true } });
        return encodeFrame({ kind: 'advert', body: { payload, signature, signer } });
      },
    ],
    [
      'in the name of another',
      'BAD_SIGNATURE',
      (advert) => framed({ ...advert, signer: world.notary('somebody else').self }),
    ],
    [
      'of another kind',
      'MALFORMED',
      () => {
        const notice = peer.notary.sign('search-closed', { requestId: 'r' });
        return encodeFrame({ kind: 'search-closed', body: envelopeOf(notice) });
      },
    ],
    [
      'with a signature for something else',
      'MALFORMED',
      () => framed({ ...signed(), ...envelopeOf(peer.notary.sign('search-closed', { requestId: 'r' })) }),
    ],
    ['out of bounds', 'MALFORMED', () => framed(signed({ nodeVersion: 'v'.repeat(1000) }))],
    [
      'with a negative price',
      'MALFORMED',
      () => framed(signed({ price: { amount: '-1', currency: 'USD', per: 'hour' } })),
    ],
    ['too large', 'OVERSIZED', () => framed(signed({ providerRecord: new Uint8Array(3100) }))],
  ])('refuses an advert %s', async (_, code, message) => {
    await say(message(signed()));
    expect(desk.taken).toEqual([]);
    expect(counts()).toMatchObject({ [`gossip.${code}`]: 1 });
  });

  it('believes no old advert', async () => {
    const message = framed(signed());
    await world.clock.advanceBy(ISSUED_AT_TOLERANCE_MS + 1);
    await say(message);
    expect(desk.taken).toEqual([]);
    expect(counts()).toMatchObject({ 'gossip.EXPIRED': 1 });
  });

  it('looks at a bounded number of adverts from one neighbour, and at those of others still', async () => {
    for (let sequence = 1; sequence <= 600; sequence += 1) {
      await peer.underlay.publish(names.advertsTopic, framed(signed({ sequence })));
    }
    await world.clock.advanceBy(10);
    const flooded = desk.taken.length;
    expect(flooded).toBeGreaterThanOrEqual(512);
    expect(flooded).toBeLessThan(520);
    expect(counts()['gossip.surplus']).toBe(600 - flooded);
    const honest = await world.raw('honest');
    await honest.underlay.publish(names.advertsTopic, framed(honest.notary.sign('advert', sample.advert())));
    await world.clock.advanceBy(10);
    expect(desk.taken).toHaveLength(flooded + 1);
    await world.clock.advanceBy(1000);
    await say(framed(signed({ sequence: 1000 })));
    expect(desk.taken).toHaveLength(flooded + 2);
  });

  it('carries what this node says, and does not tell it to itself', async () => {
    const heard: Uint8Array[] = [];
    await world.raw('listener', (underlay) =>
      underlay.subscribe(names.advertsTopic, (_, message) => {
        heard.push(message);
        return 'accept';
      }),
    );
    const advert = node.notary.sign('advert', sample.advert());
    node.network.adverts.publish(advert);
    await world.clock.advanceBy(10);
    expect(heard).toEqual([framed(advert)]);
    expect(desk.taken).toEqual([]);
    expect(counts()).toMatchObject({ 'advert.published': 1 });
  });

  it.each<[string, Partial<Advert>]>([
    ['a word too long', { nodeVersion: 'v'.repeat(1000) }],
    ['too many bytes', { providerRecord: new Uint8Array(3500) }],
  ])('is spared an advert that others would refuse: %s', (_, over) => {
    const advert = node.notary.sign('advert', sample.advert(over));
    expect(() => node.network.adverts.publish(advert)).toThrow(
      expect.objectContaining({ code: 'ADVERT_INVALID' }),
    );
  });

  it('knows who listens and who provides, and tells when that changes', async () => {
    const { adverts } = node.network;
    expect([adverts.audienceSize(), adverts.connectedProviders()]).toEqual([1, 0]);
    const before = desk.audienceChanges;
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider')),
      registry: scriptedDesk(),
    });
    expect([adverts.audienceSize(), adverts.connectedProviders()]).toEqual([2, 1]);
    expect(desk.audienceChanges).toBe(before + 1);
    expect(adverts.isConnected(provider.peer)).toBe(true);
    await provider.network.stop();
    expect([adverts.audienceSize(), adverts.connectedProviders()]).toEqual([1, 0]);
  });

  it('is not listened to without a registry', async () => {
    const bare = await world.node('bare');
    expect(peer.underlay.subscribers(names.advertsTopic)).not.toContain(bare.peer);
  });

  describe('of providers that are not known yet', () => {
    let fakes = 0;
    const ofOther = (): Uint8Array => {
      fakes += 1;
      return framed(world.notary(`other ${fakes}`).sign('advert', sample.advert({ sequence: fakes })));
    };
    const sayMany = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1)
        await peer.underlay.publish(names.advertsTopic, ofOther());
      await world.clock.advanceBy(10);
    };

    it('takes a burst from one neighbour, and then two a second', async () => {
      desk.isNews = () => true;
      await sayMany(200);
      expect(desk.taken).toHaveLength(128);
      expect(counts()).toMatchObject({ 'advert.newcomer-surplus': 72 });
      await world.clock.advanceBy(5000);
      await sayMany(50);
      expect(desk.taken).toHaveLength(138);
    });

    it('takes all that are known, and what a neighbour says of itself', async () => {
      desk.isNews = () => true;
      await sayMany(200);
      await say(framed(signed()));
      expect(desk.taken).toHaveLength(129);
      desk.isNews = () => false;
      await sayMany(100);
      expect(desk.taken).toHaveLength(229);
    });

    it('lets nobody use that up with names of others', async () => {
      desk.isNews = () => true;
      for (let index = 0; index < 200; index += 1) {
        await say(framed({ ...signed({ sequence: index }), signer: world.notary(`name ${index}`).self }));
      }
      expect(counts()).toMatchObject({ 'gossip.BAD_SIGNATURE': 200 });
      await sayMany(100);
      expect(desk.taken).toHaveLength(100);
    });
  });
});
