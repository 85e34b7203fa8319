import { describe, expect, it } from 'vitest';
import { UnreadBytes, type UnreadHolder } from '../../../../src/network/libp2p/unread-bytes.ts';

class Holder implements UnreadHolder {
  heldBytes = 0;
  ended = false;
  readonly peer: string;
  readonly #unread: UnreadBytes;

  constructor(peer: string, unread: UnreadBytes) {
    this.peer = peer;
    this.#unread = unread;
  }

  hold(bytes: number): void {
    this.heldBytes = bytes;
    this.#unread.changed(this);
  }

  overflow(): void {
    this.ended = true;
    this.hold(0);
  }
}

const LIMITS = { unreadOfPeerBytes: 100, unreadOfStrangerBytes: 40, unreadOfStrangersBytes: 100 };

describe('unread bytes', () => {
  const unread = (): UnreadBytes => new UnreadBytes(LIMITS, (peer) => peer.startsWith('stranger'));

  it('are bounded for each peer: the channel that holds most is ended', () => {
    const all = unread();
    const [small, large] = [new Holder('stranger', all), new Holder('stranger', all)];
    large.hold(30);
    small.hold(10);
    expect([small.ended, large.ended]).toEqual([false, false]);
    small.hold(11);
    expect([small.ended, large.ended]).toEqual([false, true]);
    expect(all.total).toBe(11);
  });

  it('are bounded for all strangers together, and those of others are not touched', () => {
    const all = unread();
    const known = new Holder('known', all);
    known.hold(100);
    const strangers = [40, 30, 30].map((bytes, index) => {
      const stranger = new Holder(`stranger ${index}`, all);
      stranger.hold(bytes);
      return stranger;
    });
    expect(strangers.map(({ ended }) => ended)).toEqual([false, false, false]);
    new Holder('stranger 3', all).hold(1);
    expect(strangers.map(({ ended }) => ended)).toEqual([true, false, false]);
    expect(known.ended).toBe(false);
  });

  it('are forgotten when they were read', () => {
    const all = unread();
    const one = new Holder('stranger', all);
    for (let round = 0; round < 10; round += 1) {
      one.hold(40);
      one.hold(0);
    }
    expect([one.ended, all.total]).toEqual([false, 0]);
  });
});
