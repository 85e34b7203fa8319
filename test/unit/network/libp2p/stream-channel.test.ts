import type { Connection, Stream } from '@libp2p/interface';
import { beforeEach, describe, expect, it } from 'vitest';
import { afterThisTurn } from '../../../../src/lib/clock.ts';
import { codeOf } from '../../../../src/lib/coded-error.ts';
import { encodeFrame } from '../../../../src/network/libp2p/frame-decoder.ts';
import { FRAME_DEADLINE_MS, StreamChannel } from '../../../../src/network/libp2p/stream-channel.ts';
import { UnreadBytes } from '../../../../src/network/libp2p/unread-bytes.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

const MAX_FRAME_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;

/** A stream of which the other side is the test. */
class Wire extends EventTarget {
  status = 'open';
  readStatus = 'readable';
  remoteWriteStatus = 'writable';
  readableEnded = false;
  writableNeedsDrain = false;
  writeBufferLength = 0;
  flows = true;
  aborted = false;

  say(bytes: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: { subarray: () => bytes } }));
  }

  end(): void {
    this.remoteWriteStatus = 'closed';
    this.dispatchEvent(new Event('remoteCloseWrite'));
    this.dispatchEvent(new Event('end'));
  }

  send(): boolean {
    return true;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.status = 'aborted';
    this.dispatchEvent(new Event('end'));
    this.dispatchEvent(new Event('close'));
  }

  sendPause(): void {
    this.flows = false;
  }

  sendResume(): void {
    this.flows = true;
  }
}

describe('a stream channel', () => {
  let clock: FakeClock;
  let wire: Wire;
  let channel: StreamChannel;
  let faults: string[];
  let isUnread: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    wire = new Wire();
    faults = [];
    isUnread = false;
    const connection = { remotePeer: { toString: () => 'peer' } } as unknown as Connection;
    channel = new StreamChannel(
      wire as unknown as Stream,
      connection,
      { maxFrameBytes: MAX_FRAME_BYTES },
      {
        clock,
        unread: new UnreadBytes(
          { unreadOfPeerBytes: 8 * MIB, unreadOfStrangerBytes: 3 * MIB, unreadOfStrangersBytes: 16 * MIB },
          () => true,
        ),
        faulted: (peer, code) => faults.push(`${peer} ${code}`),
        isUnread: () => isUnread,
        later: (_connection, run) => afterThisTurn(run),
      },
    );
  });

  const failure = (promise: Promise<unknown>): Promise<string | undefined> =>
    promise.then(() => undefined, codeOf);

  it('refuses empty frames at once, and tells of them', async () => {
    wire.say(new Uint8Array(2 * MIB));
    expect(wire.aborted).toBe(true);
    expect(faults).toEqual(['peer FRAME_EMPTY']);
    expect(await failure(channel.receive())).toBe('FRAME_EMPTY');
    expect(await failure(channel.send(new Uint8Array()))).toBe('FRAME_EMPTY');
  });

  it('does not decode further than there is room, and gives all of it in order', async () => {
    const count = 100_000;
    const frames = Array.from({ length: count }, (_, index) => encodeFrame(Uint8Array.of(index % 251)));
    wire.say(new Uint8Array(Buffer.concat(frames)));
    expect(wire.flows).toBe(false);
    expect(channel.heldBytes).toBeLessThan(2 * (2 * count) + 256 * 1024);
    for (let index = 0; index < count; index += 1) expect((await channel.receive())?.[0]).toBe(index % 251);
    expect(wire.flows).toBe(true);
    expect(channel.heldBytes).toBeLessThan(8192);
  });

  it('gives a quick reader no more than so many frames in one turn', async () => {
    let taken = 0;
    wire.say(new Uint8Array(Buffer.concat(Array<Uint8Array>(5000).fill(Uint8Array.of(1, 7)))));
    void (async () => {
      for (; taken < 5000; taken += 1) await channel.receive();
    })();
    for (let turns = 1; taken < 5000; turns += 1) {
      await new Promise<void>(afterThisTurn);
      expect(taken).toBeLessThanOrEqual((turns + 1) * 256);
      expect(turns).toBeLessThan(100);
    }
  });

  it('tells of what is wrong also behind frames that nobody reads yet, once it comes to it', async () => {
    wire.say(
      new Uint8Array(Buffer.concat([...Array<Uint8Array>(300).fill(Uint8Array.of(1, 7)), Uint8Array.of(0)])),
    );
    expect(faults).toEqual([]);
    for (let index = 0; index < 256; index += 1) await channel.receive();
    await new Promise<void>(afterThisTurn);
    expect(faults).toEqual(['peer FRAME_EMPTY']);
    for (let index = 256; index < 300; index += 1) expect(await channel.receive()).toEqual(Uint8Array.of(7));
    expect(await failure(channel.receive())).toBe('FRAME_EMPTY');
  });

  it('gives a frame as a whole a deadline, its length included', async () => {
    wire.say(Uint8Array.of(0x81));
    await clock.advanceBy(FRAME_DEADLINE_MS - 1);
    wire.say(Uint8Array.of(0x01));
    expect(wire.aborted).toBe(false);
    await clock.advanceBy(1);
    expect(faults).toEqual(['peer FRAME_UNFINISHED']);
    expect(await failure(channel.receive())).toBe('FRAME_UNFINISHED');
  });

  it('gives each of many frames its own deadline, wherever they are cut', async () => {
    for (let frame = 0; frame < 8; frame += 1) {
      wire.say(Uint8Array.of(...(frame === 0 ? [] : [9]), 2, 8));
      await clock.advanceBy(FRAME_DEADLINE_MS / 2);
    }
    expect(faults).toEqual([]);
    await clock.advanceBy(FRAME_DEADLINE_MS / 2);
    expect(faults).toEqual(['peer FRAME_UNFINISHED']);
  });

  it('does not count the time in which this node did not read', async () => {
    wire.say(Uint8Array.of(3, 1));
    isUnread = true;
    await clock.advanceBy(FRAME_DEADLINE_MS);
    isUnread = false;
    await clock.advanceBy(FRAME_DEADLINE_MS - 1);
    wire.say(Uint8Array.of(2, 3));
    await clock.advanceBy(FRAME_DEADLINE_MS);
    expect(await channel.receive()).toEqual(Uint8Array.of(1, 2, 3));
    expect(faults).toEqual([]);
  });

  it('is ended where too much waits in it', async () => {
    const frame = encodeFrame(new Uint8Array(600_000));
    for (let sent = 0; sent < 8; sent += 1) wire.say(frame);
    expect(faults).toEqual(['peer UNREAD_TOO_MUCH']);
    expect(channel.heldBytes).toBeLessThan(1024);
    expect(await failure(channel.receive())).toBe('UNREAD_TOO_MUCH');
  });

  it('keeps what arrived before a proper end, also what was not decoded yet', async () => {
    wire.say(new Uint8Array(Buffer.concat(Array<Uint8Array>(300).fill(Uint8Array.of(1, 7)))));
    wire.end();
    for (let index = 0; index < 300; index += 1) expect(await channel.receive()).toEqual(Uint8Array.of(7));
    expect(await channel.receive()).toBeUndefined();
  });

  it('does not take an end within a frame for one, also behind frames that wait', async () => {
    wire.say(
      new Uint8Array(
        Buffer.concat([...Array<Uint8Array>(300).fill(Uint8Array.of(1, 7)), Uint8Array.of(2, 7)]),
      ),
    );
    wire.end();
    for (let index = 0; index < 300; index += 1) await channel.receive();
    expect(await failure(channel.receive())).toBe('CHANNEL_CLOSED');
  });

  it('leaves no timer behind', async () => {
    wire.say(Uint8Array.of(3, 1));
    channel.abort();
    await clock.advanceBy(2 * FRAME_DEADLINE_MS);
    expect(faults).toEqual([]);
  });
});
