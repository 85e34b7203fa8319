import { describe, expect, it } from 'vitest';
import { sparingUpdates } from '../../../../src/network/libp2p/window-updates.ts';

const [OPENING, ASKED, ANSWERING, OPEN, PAUSED] = [0, 1, 2, 3, 5];

/** What of a yamux stream counts here. */
function streamWith(fields: Readonly<Record<string, unknown>>) {
  const sent: number[] = [];
  const stream = {
    ...fields,
    sendWindowUpdate: () => void sent.push(1),
  };
  sparingUpdates(stream);
  return { stream, sent };
}

describe('window updates', () => {
  it.each([
    [OPEN, 51, 0],
    [OPEN, 50, 1],
    [OPEN, 0, 1],
    [ASKED, 51, 0],
    [ASKED, 50, 1],
  ])('in state %i with %i of 100 bytes left: %i', (state, recvWindowCapacity, expected) => {
    const { stream, sent } = streamWith({ state, recvWindow: 100, recvWindowCapacity });
    stream.sendWindowUpdate();
    expect(sent).toHaveLength(expected);
  });

  it.each([OPENING, ANSWERING, PAUSED])('are left to the stream in state %i, which needs them', (state) => {
    const { stream, sent } = streamWith({ state, recvWindow: 100, recvWindowCapacity: 100 });
    stream.sendWindowUpdate();
    expect(sent).toHaveLength(1);
  });

  it('are left alone where the stream is not as expected', () => {
    const { stream, sent } = streamWith({ state: OPEN });
    stream.sendWindowUpdate();
    expect(sent).toHaveLength(1);
    expect(sparingUpdates(undefined)).toBeUndefined();
  });
});
