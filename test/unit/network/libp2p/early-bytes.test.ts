import { describe, expect, it } from 'vitest';
import { EarlyBytes } from '../../../../src/network/libp2p/early-bytes.ts';

function taken(early: EarlyBytes): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = early.next(); piece !== undefined; piece = early.next()) pieces.push(piece);
  return pieces;
}

describe('early bytes', () => {
  it('are taken in small pieces, and no more of them than a handshake needs', () => {
    const early = new EarlyBytes();
    early.append(new Uint8Array(60_000));
    const pieces = taken(early);
    expect(Math.max(...pieces.map(({ length }) => length))).toBe(256);
    expect(pieces.reduce((bytes, { length }) => bytes + length, 0)).toBe(4096);
    expect([early.isStuck, early.isDone]).toEqual([true, false]);
  });

  it('pass in order, and all of them once the handshake is over', () => {
    const early = new EarlyBytes();
    const bytes = Uint8Array.from({ length: 9000 }, (_, index) => index % 251);
    early.append(bytes.subarray(0, 5000));
    const before = taken(early);
    early.append(bytes.subarray(5000));
    expect(taken(early)).toEqual([]);
    early.over();
    const after = taken(early);
    expect(after).toHaveLength(1);
    expect(new Uint8Array(Buffer.concat([...before, ...after]))).toEqual(bytes);
    expect([early.isStuck, early.isDone]).toEqual([false, true]);
  });
});
