import type { Connection } from '@libp2p/interface';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeepAlive } from '../../../../src/network/libp2p/keep-alive.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

const SECOND_MS = 1000;
const ROUND_MS = 10 * SECOND_MS;

type Answer = 'echo' | 'silence' | 'end' | 'refuse' | 'stay';

/** What of a connection counts here: how its peer answers pings, when they came, and whether it was ended. */
interface Line {
  readonly connection: Connection;
  readonly pingedMs: number[];
  ended: boolean;
  abortedStreams: number;
  answers: Answer;
  afterMs: number;
}

describe('keep-alive', () => {
  let clock: FakeClock;
  let events: EventTarget;
  let unread: Set<Connection>;
  let keepAlive: KeepAlive;

  beforeEach(() => {
    clock = new FakeClock();
    events = new EventTarget();
    unread = new Set();
    const log = Object.assign(() => {}, { error: () => {} });
    keepAlive = new KeepAlive({ events, logger: { forComponent: () => log } } as never, {
      clock,
      isUnread: (connection) => unread.has(connection),
    });
    keepAlive.start();
  });

  afterEach(() => keepAlive.stop());

  function open(answers: Answer = 'echo', afterMs = 0): Line {
    const raw = {
      streams: [],
      newStream: (): Promise<unknown> => {
        line.pingedMs.push(clock.monotonicMs());
        if (line.answers !== 'refuse') return Promise.resolve(streamOf(line));
        return Promise.reject(Object.assign(new Error('no ping here'), { name: 'UnsupportedProtocolError' }));
      },
      abort: () => {
        line.ended = true;
        tell('connection:close', line);
      },
    };
    const line: Line = {
      connection: raw as unknown as Connection,
      pingedMs: [],
      ended: false,
      abortedStreams: 0,
      answers,
      afterMs,
    };
    tell('connection:open', line);
    return line;
  }

  function tell(event: string, { connection }: Line): void {
    events.dispatchEvent(new CustomEvent(event, { detail: connection }));
  }

  /** A ping's stream: it gives back what it was sent, in two pieces. */
  function streamOf(line: Line): unknown {
    const { answers, afterMs } = line;
    const sent = Promise.withResolvers<Uint8Array>();
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    return {
      send: (bytes: Uint8Array) => sent.resolve(bytes),
      close: ({ signal }: { signal: AbortSignal }) =>
        new Promise<void>((resolve, reject) => {
          if (answers !== 'stay') resolve();
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      abort: (error: Error) => {
        line.abortedStreams += 1;
        aborted.reject(error);
      },
      async *[Symbol.asyncIterator]() {
        const bytes = await sent.promise;
        if (answers === 'end') return;
        if (answers === 'silence') await aborted.promise;
        if (afterMs > 0) await new Promise<void>((resolve) => clock.after(afterMs, resolve));
        yield bytes.subarray(0, 20);
        yield bytes.subarray(20);
      },
    };
  }

  it('spreads connections that opened together over the interval', async () => {
    const lines = Array.from({ length: 200 }, () => open());
    await clock.advanceBy(2 * ROUND_MS);
    const pings = lines.flatMap(({ pingedMs }) => pingedMs);
    const inSecond = (second: number): number =>
      pings.filter((ms) => Math.floor(ms / SECOND_MS) === second).length;
    const counts = Array.from({ length: 20 }, (_, second) => inSecond(second));
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(18);
    expect(Math.max(...counts)).toBeLessThanOrEqual(22);
  });

  it('measures the round trip, each time anew', async () => {
    const line = open('echo', 30);
    await clock.advanceBy(ROUND_MS);
    expect(line.connection.rtt).toBe(30);
    line.afterMs = 45;
    await clock.advanceBy(ROUND_MS);
    expect(line.connection.rtt).toBe(45);
    expect(line.pingedMs).toHaveLength(2);
    expect(line.ended).toBe(false);
  });

  it.each(['silence', 'end'] as const)('ends a connection whose peer answers with %s', async (answers) => {
    const line = open(answers);
    await clock.advanceBy(2 * ROUND_MS);
    expect(line.ended).toBe(true);
    await clock.advanceBy(5 * ROUND_MS);
    expect(line.pingedMs).toHaveLength(1);
  });

  it('waits ten seconds for an answer', async () => {
    const line = open('echo', ROUND_MS - 1);
    await clock.advanceBy(3 * ROUND_MS);
    expect(line.ended).toBe(false);
    expect(line.connection.rtt).toBe(ROUND_MS - 1);
  });

  it('has its answer where the peer leaves the stream open, and leaves no stream behind', async () => {
    const line = open('stay');
    await clock.advanceBy(4 * ROUND_MS);
    expect(line.ended).toBe(false);
    expect(line.connection.rtt).toBe(0);
    expect(line.pingedMs.length).toBeGreaterThanOrEqual(2);
    expect(line.abortedStreams).toBeGreaterThanOrEqual(1);
  });

  it('takes a refusal of the protocol for an answer', async () => {
    const line = open('refuse');
    await clock.advanceBy(3 * ROUND_MS);
    expect(line.ended).toBe(false);
    expect(line.pingedMs.length).toBeGreaterThanOrEqual(2);
  });

  it('asks nothing of a connection that is not read, and ends none for its silence', async () => {
    const asked = open('silence');
    await clock.advanceBy(ROUND_MS - 1);
    expect(asked.pingedMs).toHaveLength(1);
    unread.add(asked.connection);
    await clock.advanceBy(5 * ROUND_MS);
    expect(asked.pingedMs).toHaveLength(1);
    expect(asked.ended).toBe(false);
    unread.delete(asked.connection);
    await clock.advanceBy(2 * ROUND_MS);
    expect(asked.ended).toBe(true);
  });

  it('leaves nothing behind', async () => {
    const line = open();
    tell('connection:close', line);
    const stopped = open();
    keepAlive.stop();
    await clock.advanceBy(3 * ROUND_MS);
    expect(line.pingedMs).toHaveLength(0);
    expect(stopped.pingedMs).toHaveLength(0);
  });
});
