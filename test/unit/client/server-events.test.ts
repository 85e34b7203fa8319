import { describe, expect, it } from 'vitest';
import { type ServerEvent, serverEvents } from '../../../src/client/server-events.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const PIECE = 65_536;

/** The events in a text that comes in pieces of bytes. */
async function eventsIn(text: string, pieceBytes = PIECE): Promise<readonly ServerEvent[]> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const read = async (): Promise<Uint8Array | undefined> => {
    if (at >= bytes.length) return undefined;
    at += pieceBytes;
    // As bytes from a socket come: each in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    return bytes.subarray(at - pieceBytes, at);
  };
  const events: ServerEvent[] = [];
  for await (const event of serverEvents({ read, cancel: () => {} }, systemClock)) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are the same wherever their bytes are cut', async () => {
    const text =
      ': comment\n\nid: 1\nevent: a\ndata: {"é": 1}\n\nretry: 9\n\ndata: x\ndata: y\n\ndata: without an end';
    const whole = [
      { id: '1', type: 'a', data: '{"é": 1}' },
      { id: undefined, type: 'message', data: 'x\ny' },
    ];
    for (const pieceBytes of [1, 2, 3, 7, PIECE]) expect(await eventsIn(text, pieceBytes)).toEqual(whole);
  });

  it.each(['\n', '\n\n', ':', ' ', 'data:\n', 'data:', 'id:\n\n', 'data:\n\n', '\r\n', '{', '"', '\u0000'])(
    'made of %j hold nothing else up for long',
    async (mark) => {
      const before = process.cpuUsage();
      await eventsIn(mark.repeat((4 * 2 ** 20) / mark.length));
      const { user, system } = process.cpuUsage(before);
      const msOfAPiece = (user + system) / 1000 / ((4 * 2 ** 20) / PIECE);
      expect(msOfAPiece).toBeLessThan(50);
    },
  );

  it('end with a code where one has no end', async () => {
    await expect(eventsIn(`data: ${'x'.repeat(17 * 2 ** 20)}`, 2 ** 20)).rejects.toMatchObject({
      code: 'API_UNEXPECTED',
    });
  });
});
