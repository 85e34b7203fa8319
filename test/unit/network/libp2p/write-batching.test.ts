import type { MessageStream } from '@libp2p/interface';
import { describe, expect, it } from 'vitest';
import { afterThisTurn } from '../../../../src/lib/clock.ts';
import { writeBatching } from './batching-protector.ts';

interface Wire {
  readonly connection: MessageStream;
  /** What reached the transport, in its order: each packet, and the close. */
  readonly sent: (readonly number[] | 'close')[];
  status: string;
  hasRoom: boolean;
}

async function wire(): Promise<Wire> {
  const sent: Wire['sent'] = [];
  const raw = Object.assign(new EventTarget(), {
    status: 'open',
    hasRoom: true,
    send(chunk: Uint8Array): boolean {
      sent.push([...chunk]);
      return raw.hasRoom;
    },
    close(): Promise<void> {
      sent.push('close');
      return Promise.resolve();
    },
  });
  const connection = raw as unknown as MessageStream;
  await writeBatching().protect(connection);
  return Object.assign(raw as unknown as Wire, { connection, sent });
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const turn = (): Promise<void> => new Promise(afterThisTurn);

describe('write batching', () => {
  it('sends what one turn writes as one packet, in order', async () => {
    const { connection, sent } = await wire();
    connection.send(bytes(1));
    await Promise.resolve();
    connection.send(bytes(2, 3));
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual([[1, 2, 3]]);
    connection.send(bytes(4));
    await turn();
    expect(sent).toEqual([[1, 2, 3], [4]]);
  });

  it('does not gather more than a bound', async () => {
    const { connection, sent } = await wire();
    connection.send(new Uint8Array(64 * 1024));
    expect(sent).toHaveLength(1);
    await turn();
    expect(sent).toHaveLength(1);
  });

  it('sends what waits before it closes', async () => {
    const { connection, sent } = await wire();
    connection.send(bytes(1));
    await connection.close();
    expect(sent).toEqual([[1], 'close']);
  });

  it('drops what waits when the connection was dropped', async () => {
    const link = await wire();
    link.connection.send(bytes(1));
    link.status = 'aborted';
    await turn();
    expect(link.sent).toEqual([]);
  });

  it('says that there is no room until the connection has drained', async () => {
    const link = await wire();
    link.hasRoom = false;
    expect(link.connection.send(bytes(1))).toBe(true);
    await turn();
    expect(link.connection.send(bytes(2))).toBe(false);
    link.hasRoom = true;
    link.connection.dispatchEvent(new Event('drain'));
    expect(link.connection.send(bytes(3))).toBe(true);
  });
});
