import { describe, expect, it } from 'vitest';
import type { ContractAnswer } from '../../../src/domain/market/contract.ts';
import { CodedError, codeOf } from '../../../src/lib/coded-error.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { encodeFrame } from '../../../src/messages/frame.ts';
import { defaultNetworkLimits } from '../../../src/network/options.ts';
import { defaultOrchestratorLimits } from '../../../src/orchestrator/options.ts';
import { defaultProviderLimits } from '../../../src/provider/options.ts';
import * as sample from '../messages/samples.ts';
import { MarketWorld, names, openRaw, scriptedProvider, type WorldNode } from './market-world.ts';

const RECORD = new Uint8Array([1]);

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return chunks;
}

describe('contract/2', () => {
  async function asking(
    answer: (world: MarketWorld, provider: WorldNode, requester: WorldNode) => ContractAnswer,
  ): Promise<{
    world: MarketWorld;
    requester: WorldNode;
    provider: WorldNode;
    ask: () => Promise<ContractAnswer>;
  }> {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const askers: string[] = [];
    const desk = scriptedProvider(world.notary('provider'), {
      contract: async (asker) => {
        askers.push(asker);
        return answer(world, provider, requester);
      },
    });
    const provider = await world.node('provider', { provider: desk });
    const { contractId } = sample.signedContract(
      sample.proposal(requester.notary, provider.peer),
      provider.notary,
    );
    return {
      world,
      requester,
      provider,
      ask: () => requester.network.market.askContract(contractId, provider.peer, RECORD),
    };
  }

  it('gives the accepted contract, checked', async () => {
    const { world, requester, provider, ask } = await asking((_world, by, to) => ({
      kind: 'accepted',
      contract: sample.signedContract(sample.proposal(to.notary, by.peer), by.notary),
    }));
    const contract = sample.signedContract(sample.proposal(requester.notary, provider.peer), provider.notary);
    expect(await world.settled(ask())).toEqual({ kind: 'accepted', contract });
    await world.clock.advanceBy(100);
    expect(world.simulation.openChannels()).toBe(0);
  });

  it('gives the provider’s never', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.node('provider', { provider: scriptedProvider(world.notary('provider')) });
    const answer = await world.settled(
      requester.network.market.askContract(sample.SOME_CID, provider.peer, RECORD),
    );
    expect(answer).toMatchObject({ kind: 'never', never: { signer: provider.peer } });
  });

  it.each(['RATE_LIMITED', 'NEVERS_FULL', 'STORE_BUSY', 'CONTRACT_DENIED'])(
    'says that it refuses for %s, which leaves the outcome unknown',
    async (code) => {
      const { world, requester, provider, ask } = await asking(() => {
        throw new CodedError(code, 'Not now.');
      });
      expect(await world.rejection(ask())).toBe('CONTRACT_UNANSWERED');
      for (const { network } of [requester, provider]) {
        expect(network.counters()).toMatchObject({ [`contract.${code}`]: 1 });
      }
      await world.clock.advanceBy(100);
      expect(world.simulation.openChannels()).toBe(0);
    },
  );

  it('says nothing of its own faults', async () => {
    const { world, requester, ask } = await asking(() => {
      throw new CodedError('RECORD_UNREADABLE', 'A record is damaged.');
    });
    expect(await world.rejection(ask())).toBe('CONTRACT_UNANSWERED');
    expect(requester.network.counters()).not.toHaveProperty('contract.RECORD_UNREADABLE');
  });

  it('leaves the outcome unknown when the answer does not bind the provider', async () => {
    const { world, ask, requester } = await asking((all, by, to) => ({
      kind: 'accepted',
      contract: sample.signedContract(sample.proposal(to.notary, by.peer), all.notary('other')),
    }));
    expect(await world.rejection(ask())).toBe('CONTRACT_UNANSWERED');
    expect(requester.network.counters()).toMatchObject({ 'contract.BAD_SIGNATURE': 1 });
  });

  it('leaves it unknown when the provider is gone, or is none', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const other = await world.node('other');
    const { market } = requester.network;
    const ask = (peer: string): Promise<unknown> => market.askContract(sample.SOME_CID, peer, RECORD);
    expect(await world.rejection(ask(world.notary('nobody').self))).toBe('PEER_UNREACHABLE');
    expect(await world.rejection(ask(other.peer))).toBe('CONTRACT_UNANSWERED');
    expect(requester.network.counters()).toMatchObject({ 'contract.NOT_A_PROVIDER': 1 });
  });
});

describe('a silent requester', () => {
  it('holds a negotiation for longer than its bid and its lock stand, and not much longer', () => {
    const { bidValidMs, lockTtlMs } = defaultProviderLimits;
    const standsMs = Math.max(bidValidMs, lockTtlMs);
    expect(defaultNetworkLimits.negotiationIdleMs).toBeGreaterThan(standsMs);
    expect(defaultNetworkLimits.negotiationIdleMs).toBeLessThanOrEqual(2 * standsMs);
  });
});

describe('serving/2', () => {
  async function serving(world = new MarketWorld()): Promise<{
    world: MarketWorld;
    provider: WorldNode;
    requester: WorldNode;
    received: [string, number][];
    report: (number: number) => Promise<unknown>;
  }> {
    const received: [string, number][] = [];
    const requester = await world.node('requester', {
      requester: {
        servingList: async (provider, list) => {
          received.push([provider, list.value.number]);
          if (list.value.number === 13) await new Promise(() => {});
          if (list.value.number === 14) throw new Error('no disk');
          return { number: list.value.number, desired: [{ executionId: 'e', attempt: 0, desired: 'run' }] };
        },
        mayRead: async () => false,
      },
    });
    const provider = await world.node('provider', { provider: scriptedProvider(world.notary('provider')) });
    const report = (number: number): Promise<unknown> =>
      provider.network.requesterLink.report(
        requester.peer,
        RECORD,
        provider.notary.sign('serving-list', sample.servingList(number)),
      );
    return { world, provider, requester, received, report };
  }

  it('answers list after list on one channel', async () => {
    const { world, provider, received, report } = await serving();
    for (const number of [1, 2, 3]) {
      expect(await world.settled(report(number))).toEqual({
        number,
        desired: [{ executionId: 'e', attempt: 0, desired: 'run' }],
      });
    }
    expect(received).toEqual([1, 2, 3].map((number) => [provider.peer, number]));
    expect(world.simulation.openChannels()).toBe(1);
  });

  it('keeps the order of lists that are sent at once, and bounds their queue', async () => {
    const { world, received, report } = await serving();
    const reports = [1, 2, 3, 4, 5].map((number) => world.rejection(report(number)));
    expect(await world.settled(Promise.all(reports))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'REPORT_BUSY',
    ]);
    expect(received.map(([, number]) => number)).toEqual([1, 2, 3, 4]);
  });

  it('opens the channel again when it broke', async () => {
    const { world, provider, requester, report } = await serving();
    await world.settled(report(1));
    world.simulation.breakChannels(requester.peer, provider.peer);
    expect(await world.settled(report(2))).toMatchObject({ number: 2 });
    expect(world.simulation.openChannels()).toBe(1);
  });

  it('fails when the requester is away, falls silent or cannot store it, and works again later', async () => {
    const { world, report, requester, provider } = await serving();
    const startMs = world.clock.monotonicMs();
    expect(await world.rejection(report(13))).toBe('REPORT_FAILED');
    const silentMs = world.clock.monotonicMs() - startMs;
    // The next heartbeat still comes in time.
    expect(silentMs + defaultProviderLimits.heartbeatMs).toBeLessThan(defaultOrchestratorLimits.lostAfterMs);
    expect(await world.rejection(report(14))).toBe('REPORT_FAILED');
    expect(await world.settled(report(15))).toMatchObject({ number: 15 });
    world.simulation.partition([requester.peer], [provider.peer]);
    expect(provider.network.requesterLink.isConnected(requester.peer)).toBe(true);
    expect(await world.rejection(report(16))).toMatch(/REPORT_FAILED|PEER_UNREACHABLE/);
    expect(provider.network.requesterLink.isConnected(requester.peer)).toBe(false);
    expect(await world.rejection(report(17))).toBe('PEER_UNREACHABLE');
    world.simulation.heal();
    await world.clock.advanceBy(2000);
    expect(await world.settled(report(18))).toMatchObject({ number: 18 });
  });

  it('takes lists only from the peer that signed them', async () => {
    const { world, requester, received } = await serving();
    const raw = await world.raw('raw');
    const channel = await world.settled(openRaw(raw, requester.peer, names.serving));
    const list = world.notary('provider').sign('serving-list', sample.servingList(1));
    await channel.send(encodeFrame({ kind: 'serving-list', body: envelopeOf(list) }));
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    expect(received).toEqual([]);
    expect(requester.network.counters()).toMatchObject({ 'serving.WRONG_SIGNER': 1 });
  });

  it('tells a provider that a peer came into reach', async () => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('provider'));
    await world.node('provider', { provider: desk });
    const { peer } = await world.node('requester');
    expect(desk.calls).toEqual([`connected ${peer}`]);
  });
});

describe('content/2', () => {
  const blocks = [new Uint8Array(2 ** 20).fill(1), new Uint8Array(0), new Uint8Array([3])];

  async function holding(over: {
    readonly serve?: () => AsyncIterable<Uint8Array> | undefined;
    readonly readers?: (world: MarketWorld) => string[];
    readonly public?: boolean;
  }): Promise<{
    world: MarketWorld;
    blocksTo: (name: string, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
  }> {
    const world = new MarketWorld();
    const readers = over.readers?.(world) ?? [];
    const holder = await world.node('holder', {
      requester: {
        servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
        mayRead: async (peer, cid, contractId) =>
          readers.includes(peer) && cid === sample.SOME_CID && contractId === 'contract-1',
      },
      content: {
        isPublic: async () => over.public ?? false,
        serve: async () => (over.serve === undefined ? chunksOf(...blocks) : over.serve()),
      },
    });
    const nodes = new Map<string, WorldNode>();
    for (const name of ['reader', 'stranger']) nodes.set(name, await world.node(name));
    const from = { peer: holder.peer, peerRecord: RECORD, contractId: 'contract-1' };
    return {
      world,
      blocksTo: (name, signal = new AbortController().signal) =>
        nodes.get(name)!.network.blockTransport.blocks(sample.SOME_CID, from, signal),
    };
  }

  const theReader = (world: MarketWorld): string[] => [world.notary('reader').self];

  it('brings all blocks to the counterpart, in order', async () => {
    const { world, blocksTo } = await holding({ readers: theReader });
    expect(await world.settled(collect(blocksTo('reader')))).toEqual(blocks);
    await world.clock.advanceBy(100);
    expect(world.simulation.openChannels()).toBe(0);
  });

  it('denies it to others, unless it is public', async () => {
    const closed = await holding({ readers: theReader });
    expect(await closed.world.rejection(collect(closed.blocksTo('stranger')))).toBe('CONTENT_DENIED');
    const open = await holding({ public: true });
    expect(await open.world.settled(collect(open.blocksTo('stranger')))).toEqual(blocks);
  });

  it('asks the provider’s desk too', async () => {
    const world = new MarketWorld();
    const reader = await world.node('reader');
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), { mayRead: async (peer) => peer === reader.peer }),
      content: { isPublic: async () => false, serve: async () => chunksOf(...blocks) },
    });
    const from = { peer: provider.peer, peerRecord: RECORD, contractId: 'contract-1' };
    const { signal } = new AbortController();
    const read = reader.network.blockTransport.blocks(sample.SOME_CID, from, signal);
    expect(await world.settled(collect(read))).toEqual(blocks);
  });

  it('says what is not there, and takes nothing broken off for whole', async () => {
    const missing = await holding({ public: true, serve: () => undefined });
    expect(await missing.world.rejection(collect(missing.blocksTo('reader')))).toBe('CONTENT_UNAVAILABLE');
    const broken = await holding({
      public: true,
      serve: async function* () {
        yield new Uint8Array([1]);
        throw new Error('disk');
      },
    });
    expect(await broken.world.rejection(collect(broken.blocksTo('reader')))).toBe('CONTENT_UNAVAILABLE');
    const tooLarge = await holding({
      public: true,
      serve: () => chunksOf(new Uint8Array(2 ** 20 + 2 ** 16)),
    });
    expect(await tooLarge.world.rejection(collect(tooLarge.blocksTo('reader')))).toBe('CONTENT_UNAVAILABLE');
    const stalled = await holding({
      public: true,
      serve: async function* () {
        yield new Uint8Array([1]);
        await new Promise(() => {});
      },
    });
    expect(await stalled.world.rejection(collect(stalled.blocksTo('reader')))).toBe('CONTENT_UNAVAILABLE');
  });

  it('stops reading from its source when the reader stops', async () => {
    let given = 0;
    let returned = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given += 1;
          yield new Uint8Array(2 ** 20);
        }
      } finally {
        returned = true;
      }
    };
    const { world, blocksTo } = await holding({ public: true, serve: endless });
    const stop = new AbortController();
    const read = blocksTo('reader', stop.signal)[Symbol.asyncIterator]();
    await world.settled(read.next());
    await world.clock.advanceBy(1000);
    expect(given).toBeLessThan(5);
    stop.abort(new CodedError('STOPPED', 'enough'));
    expect(await world.rejection(collect({ [Symbol.asyncIterator]: () => read }))).toBe('STOPPED');
    await world.clock.advanceBy(1000);
    expect(returned).toBe(true);
    expect(world.simulation.openChannels()).toBe(0);
  });
});

describe('logs/2', () => {
  it('brings output as it grows, cut to frames, and ends with it', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const next = Promise.withResolvers<void>();
    const asked: unknown[] = [];
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), {
        async *logs(...args) {
          asked.push(args.slice(0, 5));
          yield new Uint8Array(200_000).fill(7);
          await next.promise;
          yield new Uint8Array([8]);
        },
      }),
    });
    const { signal } = new AbortController();
    const logs = requester.network.logs(provider.peer, RECORD, sample.SOME_CID, 'stderr', 5, true, signal);
    const read = logs[Symbol.asyncIterator]();
    const first = await world.settled(read.next());
    expect(first.value.length).toBeLessThan(131_072);
    await world.clock.advanceBy(120_000);
    next.resolve();
    const rest = await world.settled(collect({ [Symbol.asyncIterator]: () => read }));
    expect(Buffer.concat([first.value, ...rest])).toEqual(
      Buffer.concat([Buffer.alloc(200_000, 7), Buffer.of(8)]),
    );
    expect(asked).toEqual([[requester.peer, sample.SOME_CID, 'stderr', 5, true]]);
  });

  it('ends the provider’s reading when the reader goes, and says when there are none', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    let stopped = false;
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), {
        async *logs(_peer, contractId, _stream, _offset, _follow, signal) {
          if (contractId !== sample.SOME_CID) throw new Error('another contract');
          yield new Uint8Array([1]);
          await new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve());
          });
          stopped = true;
        },
      }),
    });
    const stop = new AbortController();
    const logsOf = (peer: string, contractId: string): AsyncIterable<Uint8Array> =>
      requester.network.logs(peer, RECORD, contractId, 'stdout', 0, true, stop.signal);
    const read = logsOf(provider.peer, sample.SOME_CID)[Symbol.asyncIterator]();
    await world.settled(read.next());
    stop.abort(new CodedError('STOPPED', 'enough'));
    expect(await world.rejection(read.next())).toBe('STOPPED');
    await world.clock.advanceBy(1000);
    expect(stopped).toBe(true);
  });

  it('says when there are none', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.node('provider', { provider: scriptedProvider(world.notary('provider')) });
    const other = await world.node('other');
    const { signal } = new AbortController();
    const logsOf = (peer: string): AsyncIterable<Uint8Array> =>
      requester.network.logs(peer, RECORD, sample.SOME_CID, 'stdout', 0, false, signal);
    expect(await world.rejection(collect(logsOf(provider.peer)))).toBe('LOGS_UNAVAILABLE');
    expect(await world.rejection(collect(logsOf(other.peer)))).toBe('LOGS_UNAVAILABLE');
    expect(await world.rejection(collect(logsOf(world.notary('nobody').self)))).toBe('PEER_UNREACHABLE');
  });

  it('shows that it goes on while nothing is printed', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), {
        async *logs(_peer, _contractId, _stream, _offset, _follow, signal) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          yield* [];
        },
      }),
    });
    const stop = new AbortController();
    const logs = requester.network.logs(
      provider.peer,
      RECORD,
      sample.SOME_CID,
      'stdout',
      0,
      true,
      stop.signal,
    );
    const beats: { readonly bytes: number; readonly atMs: number }[] = [];
    const reading = (async () => {
      for await (const { length } of logs) beats.push({ bytes: length, atMs: world.clock.monotonicMs() });
    })();
    reading.catch(() => {});
    await world.clock.advanceBy(3_600_000);
    // All this time without a byte, and still open.
    expect(beats.length).toBeGreaterThan(230);
    expect(beats.every(({ bytes }) => bytes === 0)).toBe(true);
    stop.abort(new CodedError('STOPPED', 'enough'));
    expect(await world.rejection(reading)).toBe('STOPPED');
  });

  it('is broken once heartbeats stop, and endless where a provider never had any', async () => {
    for (const beats of [0, 1]) {
      const world = new MarketWorld();
      const requester = await world.node('requester');
      const raw = await world.raw('provider', (underlay) =>
        underlay.handle(names.logs, defaultNetworkLimits.protocols.logs, (channel) => {
          void (async () => {
            await channel.receive();
            for (let beat = 0; beat < beats; beat += 1) await channel.send(Uint8Array.of(1));
          })();
        }),
      );
      const { signal } = new AbortController();
      const logs = requester.network.logs(raw.peer, RECORD, sample.SOME_CID, 'stdout', 0, true, signal);
      let over: unknown;
      collect(logs).catch((error: unknown) => {
        over = codeOf(error);
      });
      await world.clock.advanceBy(600_000);
      expect(over).toBe(beats === 0 ? undefined : 'LOGS_UNAVAILABLE');
    }
  });
});
