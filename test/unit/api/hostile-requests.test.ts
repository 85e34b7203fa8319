import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Api, createApi } from '../../../src/api/index.ts';
import { RequestBodies } from '../../../src/api/body.ts';
import { openApiDocument } from '../../../src/api/openapi/document.ts';
import { OpenBodies } from '../../../src/api/open-bodies.ts';
import { type ApiOptions, apiDefaults } from '../../../src/api/options.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { namedShapes } from '../../../src/openapi/named.ts';
import { FakeClock } from '../orchestrator/evaluations/fake-clock.ts';
import { type RawConnection, rawConnection } from './raw-connection.ts';
import { inProcess, type ScriptedNode, scriptedNode } from './scripted-node.ts';

const running: Api[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((api) => api.stop()));
});

async function started(node: ScriptedNode, changes: Partial<ApiOptions> = {}): Promise<Api> {
  const api = createApi({ ...apiDefaults, listen: '127.0.0.1:0', ...changes }, node);
  running.push(api);
  await api.start();
  return api;
}

function connected(api: Api): Promise<RawConnection> {
  return rawConnection(Number(new URL(api.url).port), (socket) => sockets.push(socket));
}

function postOf(declared: number, sent: string): string {
  return `POST /orchestrator/postJob HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${declared}\r\n\r\n${sent}`;
}

describe('requests of one connection', () => {
  const READ = 'GET /dms/status HTTP/1.1\r\nHost: localhost\r\n\r\n';

  it('are served one after the other, and others in between', async () => {
    const node = scriptedNode();
    let ahead = 0;
    const status = (): ReturnType<typeof node.node.status> => {
      ahead += 1;
      return node.node.status();
    };
    const seen = { ...node, node: { ...node.node, status } };
    const api = await started(seen);
    const { socket, statuses } = await connected(api);
    socket.write(READ.repeat(3000));
    await vi.waitFor(() => expect(ahead).toBeGreaterThan(0));
    for (let index = 0; index < 5; index += 1) {
      expect((await fetch(`${api.url}/health/live`)).ok).toBe(true);
    }
    expect(ahead).toBeLessThan(3000);
    await vi.waitFor(() => expect(statuses).toHaveLength(3000), { timeout: 8000 });
    expect(new Set(statuses)).toEqual(new Set(['200']));
  });

  it('with bodies come through whole, however many are sent ahead', async () => {
    const node = scriptedNode();
    const api = await started(node);
    const { socket, statuses } = await connected(api);
    const body = JSON.stringify({
      engine: { type: 'python', params: { script: { text: 'x'.repeat(2000) } } },
    });
    socket.write(postOf(body.length, body).repeat(200));
    await vi.waitFor(() => expect(statuses).toHaveLength(200), { timeout: 8000 });
    expect(node.orchestrator.posted).toHaveLength(200);
  });

  it('are not read on while others have to be served first', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const node = scriptedNode();
    const api = await started({
      ...node,
      metrics: { contentType: 'text/plain', metrics: () => gate.then(() => '') },
    });
    const { socket, statuses } = await connected(api);
    socket.write(`GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n${READ.repeat(100_000)}`);
    for (let index = 0; index < 20; index += 1) await fetch(`${api.url}/health/live`);
    expect(statuses).toEqual([]);
    // What the node has not read is still with the client.
    expect(socket.writableLength).toBeGreaterThan(100_000);
    open();
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(100));
  });

  it('that wait behind an answer without end keep nobody else from being read', async () => {
    const node = scriptedNode();
    const never = new Promise<string>(() => {});
    const api = await started({ ...node, metrics: { contentType: 'text/plain', metrics: () => never } });
    const hostile = await Promise.all(Array.from({ length: 100 }, () => connected(api)));
    for (const { socket } of hostile) {
      socket.write(`GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n${READ.repeat(500)}`);
    }
    for (let index = 0; index < 20; index += 1) {
      const signal = AbortSignal.timeout(2000);
      expect((await fetch(`${api.url}/health/live`, { signal })).ok).toBe(true);
    }
    const body = JSON.stringify({
      engine: { type: 'python', params: { script: { text: 'x'.repeat(40_000) } } },
    });
    const headers = { 'content-type': 'application/json' };
    const posted = await fetch(`${api.url}/orchestrator/postJob`, { method: 'POST', headers, body });
    expect(posted.status).toBe(202);
  });
});

describe('the OpenAPI document', () => {
  it('is made once, and not sent again to who has it', async () => {
    const { request } = inProcess(scriptedNode());
    const lookedUp = vi.spyOn(namedShapes, 'get');
    await openApiDocument();
    const once = lookedUp.mock.calls.length;
    const [first] = await Promise.all([request('/openapi.json'), request('/openapi.json')]);
    expect(await first.json()).toMatchObject({ openapi: '3.1.0' });
    const second = await request('/openapi.json');
    expect(second.headers.get('content-type')).toBe('application/json');
    const etag = second.headers.get('etag') ?? '';
    expect(etag).not.toBe('');
    const third = await request('/openapi.json', { headers: { 'if-none-match': etag } });
    expect([third.status, await third.text()]).toEqual([304, '']);
    expect(lookedUp).toHaveBeenCalledTimes(2 * once);
  });
});

describe('web pages', () => {
  it.each([
    ['cross-site', 403],
    ['same-site', 403],
    ['anything else', 403],
    ['same-origin', 200],
    ['none', 200],
  ])('a request that a browser calls %s gives %i', async (site, status) => {
    const { request } = inProcess(scriptedNode());
    for (const path of ['/openapi.json', '/dms/status', '/metrics', '/health/live']) {
      expect((await request(path, { headers: { 'sec-fetch-site': site } })).status).toBe(status);
    }
  });
});

describe('bodies in chunks of one byte', () => {
  const HEAD =
    'POST /orchestrator/postJob HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

  it('come through whole, and are no more objects than others', async () => {
    const node = scriptedNode();
    const api = await started(node);
    const pushed = vi.spyOn(IncomingMessage.prototype, 'push');
    const { socket, statuses } = await connected(api);
    const text = 'x'.repeat(20_000);
    const body = JSON.stringify({ engine: { type: 'python', params: { script: { text } } } });
    socket.write(`${HEAD}${Array.from(body, (byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`);
    await vi.waitFor(() => expect(statuses).toEqual(['202']), { timeout: 8000 });
    expect(node.orchestrator.posted).toHaveLength(1);
    expect(pushed.mock.calls.length).toBeLessThan(body.length / 50);
    pushed.mockRestore();
  });
});

describe('bodies that do not end', () => {
  const slow = { smallBodyBytes: 10, openBodiesBytes: 3000, maxBodyBytes: 1000 };

  it('have no more memory than there is for all of them, and make room for others', async () => {
    const node = scriptedNode();
    const api = await started(node, { ...slow, maxWaitingBodies: 32, leastBytesPerSecond: 1_000_000 });
    const hostile = await Promise.all(Array.from({ length: 10 }, () => connected(api)));
    for (const { socket } of hostile) socket.write(postOf(1000, '{'));
    const body = JSON.stringify({ engine: { type: 'python', params: { script: { text: 'x' } } } });
    const response = await fetch(`${api.url}/orchestrator/postJob`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(202);
    await vi.waitFor(() => expect(hostile.flatMap(({ statuses }) => statuses)).toContain('408'));
  });

  it('are refused where there is no room in time, and leave none behind when they go', async () => {
    const api = await started(scriptedNode(), { ...slow, bodyWaitMs: 50 });
    const holders = await Promise.all(Array.from({ length: 3 }, () => connected(api)));
    for (const { socket } of holders) socket.write(postOf(1000, '{'));
    await fetch(`${api.url}/health/live`);
    const late = await connected(api);
    late.socket.write(postOf(1000, '{'));
    await vi.waitFor(() => expect(late.statuses).toEqual(['503']));
    for (const { socket } of holders) socket.destroy();
    await vi.waitFor(async () => {
      const next = await connected(api);
      next.socket.write(postOf(12, '{"engine":1}'));
      await vi.waitFor(() => expect(next.statuses).toEqual(['400']));
    });
  });

  it('are refused at once where many wait already, and not read on', async () => {
    const api = await started(scriptedNode(), {
      ...slow,
      maxBodyBytes: 64 << 20,
      openBodiesBytes: 1,
      maxWaitingBodies: 1,
    });
    const waiting = await connected(api);
    waiting.socket.write(postOf(1000, '{'));
    await fetch(`${api.url}/health/live`);
    const refused = await connected(api);
    const closed = new Promise((resolve) => refused.socket.once('close', resolve));
    refused.socket.write(postOf(64 << 20, '{'));
    refused.socket.write(Buffer.alloc(64 << 20, 0x20));
    await vi.waitFor(() => expect(refused.statuses).toEqual(['503']));
    expect(waiting.statuses).toEqual([]);
    for (let index = 0; index < 20; index += 1) await fetch(`${api.url}/health/live`);
    expect(refused.socket.writableLength).toBeGreaterThan(32 << 20);
    await closed;
  });

  it('leave their memory with nobody when they are given up', async () => {
    const bodies = new RequestBodies(
      systemClock,
      { ...apiDefaults, ...slow },
      new OpenBodies(systemClock, { ...apiDefaults, ...slow }),
    );
    const request = new Request('http://localhost/', { method: 'POST', body: 'x'.repeat(500) });
    const body = await bodies.whole(request);
    expect(body.bytes).toHaveLength(500);
    body.release();
    body.release();
    expect(body.bytes).toHaveLength(0);
  });

  it('end after a time', async () => {
    const api = await started(scriptedNode(), { ...slow, bodyTimeoutMs: 30 });
    for (const declared of [5, 500]) {
      const { socket, statuses } = await connected(api);
      socket.write(postOf(declared, '{'));
      await once(socket, 'close');
      expect(statuses).toEqual(['408']);
    }
  });

  it('also take room as uploads', async () => {
    const api = await started(scriptedNode(), { ...slow, uploadBytes: 1000, bodyWaitMs: 50 });
    const upload = 'POST /dms/blobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx';
    const holders = await Promise.all(Array.from({ length: 3 }, () => connected(api)));
    for (const { socket } of holders) socket.write(upload);
    await fetch(`${api.url}/health/live`);
    const late = await connected(api);
    late.socket.write(upload);
    await vi.waitFor(() => expect(late.statuses).toEqual(['503']));
  });
});

describe('room for bodies', () => {
  const options = { openBodiesBytes: 100, maxWaitingBodies: 8, bodyWaitMs: 1000, leastBytesPerSecond: 10 };

  it('is given in the order of asking, and back', async () => {
    const open = new OpenBodies(systemClock, options);
    const { signal } = new AbortController();
    const first = await open.enter(80, signal);
    const order: string[] = [];
    const large = open.enter(60, signal).then((room) => (order.push('large'), room));
    const small = open.enter(10, signal).then((room) => (order.push('small'), room));
    expect(open.takenBytes).toBe(80);
    first.release();
    first.release();
    const rooms = await Promise.all([large, small]);
    expect([order, open.takenBytes]).toEqual([['large', 'small'], 70]);
    for (const room of rooms) room.release();
    expect(open.takenBytes).toBe(0);
  });

  it('is not kept by a body that came fast and then stopped, but by one that the node itself is slow to read', async () => {
    const clock = new FakeClock();
    const pace = { ...options, openBodiesBytes: 8_000_000, bodyWaitMs: 5000, leastBytesPerSecond: 65_536 };
    const open = new OpenBodies(clock, pace);
    const { signal } = new AbortController();
    const [stopped, unread] = [await open.enter(4_000_000, signal), await open.enter(4_000_000, signal)];
    for (const room of [stopped, unread]) {
      room.awaits();
      room.received(3_000_000);
    }
    stopped.awaits();
    open.enter(1, signal).catch(() => {});
    await clock.run(2000);
    expect([stopped.signal.aborted, unread.signal.aborted]).toEqual([true, false]);
  });

  it('is not kept for a client that leaves while it waits', async () => {
    const open = new OpenBodies(systemClock, options);
    const first = await open.enter(100, new AbortController().signal);
    const leaving = new AbortController();
    const waiting = open.enter(100, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    first.release();
    expect(open.takenBytes).toBe(0);
  });
});
