import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConnectionFeed } from '../../../src/api/connection-feed.ts';
import { type Api, createApi } from '../../../src/api/index.ts';
import { type ApiOptions, apiDefaults } from '../../../src/api/options.ts';
import { type RawConnection, rawConnection } from './raw-connection.ts';
import { scriptedNode } from './scripted-node.ts';

const running: Api[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((api) => api.stop()));
});

async function started(changes: Partial<ApiOptions> = {}): Promise<Api> {
  const api = createApi({ ...apiDefaults, listen: '127.0.0.1:0', ...changes }, scriptedNode());
  running.push(api);
  await api.start();
  return api;
}

function connected(port: number): Promise<RawConnection> {
  return rawConnection(port, (socket) => sockets.push(socket));
}

function portOf(api: Api): number {
  return Number(new URL(api.url).port);
}

function head(path: string, bytes: number, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n${more}\r\n`;
}

/** Room for one body of 1 000 bytes, and it is taken. */
const taken = { smallBodyBytes: 10, openBodiesBytes: 1000, uploadBytes: 1000 };

async function takeAll(api: Api): Promise<Socket> {
  const { socket } = await connected(portOf(api));
  socket.write(`${head('/dms/blobs', 2000)}x`);
  await fetch(`${api.url}/health/live`);
  return socket;
}

describe('large bodies', () => {
  it('that come at once all come in, in turn', async () => {
    const api = await started();
    const bodies = Array.from({ length: 20 }, (_, at) => Buffer.alloc(1_000_000, at));
    const answers = await Promise.all(
      bodies.map((body) => fetch(`${api.url}/dms/blobs`, { method: 'POST', body })),
    );
    expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 201));
    const cids = await Promise.all(answers.map(async (answer) => (await answer.json()) as { cid: string }));
    const cid = cids[7]?.cid ?? '';
    const read = await fetch(`${api.url}/dms/blobs/${cid}`);
    expect(Buffer.from(await read.arrayBuffer()).equals(Buffer.alloc(1_000_000, 7))).toBe(true);
  });

  it('are asked for when there is room for them', async () => {
    const api = await started(taken);
    const holder = await takeAll(api);
    const { socket, statuses } = await connected(portOf(api));
    socket.write(head('/dms/blobs', 500, 'Expect: 100-continue\r\n'));
    for (let index = 0; index < 5; index += 1) await fetch(`${api.url}/health/live`);
    expect(statuses).toEqual([]);
    holder.destroy();
    await vi.waitFor(() => expect(statuses).toEqual(['100']));
    socket.write('x'.repeat(500));
    await vi.waitFor(() => expect(statuses).toEqual(['100', '201']));
  });

  it('of those who may not ask wait for nothing and take nobody’s place', async () => {
    const api = await started({ ...taken, token: 'secret', maxWaitingBodies: 0 });
    const { socket: holder } = await connected(portOf(api));
    holder.write(`${head('/dms/blobs', 2000, 'Authorization: Bearer secret\r\n')}x`);
    await fetch(`${api.url}/health/live`);
    const stranger = await connected(portOf(api));
    stranger.socket.write(`${head('/dms/blobs', 2000)}x`);
    await vi.waitFor(() => expect(stranger.statuses).toEqual(['401']));
    const friend = await connected(portOf(api));
    friend.socket.write(`${head('/dms/blobs', 2000, 'Authorization: Bearer secret\r\n')}x`);
    await vi.waitFor(() => expect(friend.statuses).toEqual(['503']));
  });

  it('that nobody looked at leave their room', async () => {
    const api = await started(taken);
    for (let index = 0; index < 3; index += 1) {
      const { socket, statuses } = await connected(portOf(api));
      socket.write(`${head('/dms/blobs?public=perhaps', 1000)}x`);
      await vi.waitFor(() => expect(statuses).toEqual(['400']));
    }
  });

  it('that are small need no room, as uploads neither', async () => {
    const api = await started({ ...taken, maxWaitingBodies: 0 });
    await takeAll(api);
    const response = await fetch(`${api.url}/dms/blobs`, { method: 'POST', body: 'x'.repeat(10) });
    expect(response.status).toBe(201);
  });
});

describe('a connection that has to wait', () => {
  it('is read once and not again', async () => {
    let parsed = 0;
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (bytes) => (parsed += bytes.length));
      const connection = {
        mayGoOn: () => parsed === 0,
        isFull: () => false,
        bodyBytes: () => 0,
        parsed: () => {},
      };
      feeds.push([new ConnectionFeed(socket, connection), socket]);
    });
    const feeds: [ConnectionFeed, Socket][] = [];
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const { socket } = await connected(typeof address === 'object' ? (address?.port ?? 0) : 0);
    socket.write(Buffer.alloc(4 << 20));
    await vi.waitFor(() => expect(parsed).toBeGreaterThan(0));
    for (let index = 0; index < 50; index += 1) await turn();
    expect(feeds[0]?.[1].bytesRead).toBeLessThanOrEqual(64 << 10);
    server.close();
  });
});
