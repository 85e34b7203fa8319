import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Api, createApi } from '../../../src/api/index.ts';
import { type ApiOptions, apiDefaults } from '../../../src/api/options.ts';
import { event } from './samples.ts';
import { printed, type ScriptedNode, scriptedNode } from './scripted-node.ts';

const EVENTS = '/orchestrator/jobs/job-1/events';
const running: Api[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.stop()));
});

async function started(node: ScriptedNode, changes: Partial<ApiOptions> = {}): Promise<Api> {
  const api = createApi({ ...apiDefaults, listen: '127.0.0.1:0', ...changes }, node);
  running.push(api);
  await api.start();
  return api;
}

/** Sends bytes as they are and reads until the node ends the connection. */
async function rawAnswer(api: Api, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  return textOf(socket);
}

describe('the API server', () => {
  it('says where it listens and answers there', async () => {
    const api = await started(scriptedNode());
    expect(api.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${api.url}/health/live`);
    expect(await response.json()).toEqual({ ok: true });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('refuses a host that a real client names', async () => {
    const api = await started(scriptedNode());
    const request = httpRequest(`${api.url}/dms/status`, { headers: { host: 'evil.example' } }).end();
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(403);
  });

  it('says what to do when the address is taken', async () => {
    const api = await started(scriptedNode());
    const second = createApi({ ...apiDefaults, listen: new URL(api.url).host }, scriptedNode());
    await expect(second.start()).rejects.toMatchObject({
      code: 'API_ADDRESS_IN_USE',
      message: expect.stringContaining('--api'),
    });
  });

  it('says so when it cannot listen at all', async () => {
    const api = createApi(
      { ...apiDefaults, listen: '192.0.2.1:1', token: 'a-token-of-some-length' },
      scriptedNode(),
    );
    await expect(api.start()).rejects.toMatchObject({ code: 'API_LISTEN_FAILED' });
  });

  it('lets go of a job when the client of its event stream leaves', async () => {
    const node = scriptedNode();
    node.orchestrator.commit(event(1));
    const api = await started(node);
    const controller = new AbortController();
    const response = await fetch(`${api.url}${EVENTS}`, {
      headers: { accept: 'text/event-stream' },
      signal: controller.signal,
    });
    await response.body?.getReader().read();
    expect(node.orchestrator.watchers).toBe(1);
    controller.abort();
    await vi.waitFor(() => expect(node.orchestrator.watchers).toBe(0));
  });

  it('ends event streams, breaks logs off, and stops, although clients are still there', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield printed('begun');
      await new Promise(() => {});
    };
    const api = await started(node);
    const events = await fetch(`${api.url}${EVENTS}`, { headers: { accept: 'text/event-stream' } });
    const logs = await fetch(`${api.url}/orchestrator/jobs/job-1/logs?follow=true`);
    const followed = await fetch(logs.url, { headers: { accept: 'text/event-stream' } });
    const read = Promise.allSettled([events.text(), logs.text(), followed.text()]);
    await api.stop();
    expect(await read).toMatchObject([
      { status: 'fulfilled', value: expect.stringContaining('retry:') },
      // Nobody may take a part for the whole.
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    await expect(fetch(`${api.url}/health/live`)).rejects.toThrow('fetch failed');
    await api.stop();
  });

  it('cuts connections that are still busy after the grace time', async () => {
    const api = await started(scriptedNode(), { stopGraceMs: 1 });
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /orchestrator/postJob HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf');
    await vi.waitFor(async () => expect((await fetch(`${api.url}/health/live`)).ok).toBe(true));
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    await api.stop();
    await closed;
  });

  it('answers 413 while a client is still sending', async () => {
    const api = await started(scriptedNode(), { maxBodyBytes: 1000 });
    const request = httpRequest(`${api.url}/orchestrator/postJob`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    request.on('error', () => {});
    request.write('x'.repeat(2000));
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(413);
    request.destroy();
  });

  it('refuses headers that are too large', async () => {
    const api = await started(scriptedNode(), { maxHeaderBytes: 2048 });
    const response = await fetch(`${api.url}/dms/status`, { headers: { 'x-long': 'x'.repeat(4000) } });
    expect(response.status).toBe(431);
  });
});

describe('what is no request', () => {
  const ENDS = 'Connection: close\r\n\r\n';

  it.each([
    ['a method that is none', 'NONE / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['no host', `GET /health/live HTTP/1.1\r\n${ENDS}`, 400, 'MALFORMED_REQUEST'],
    ['an empty host', `GET /health/live HTTP/1.1\r\nHost:\r\n${ENDS}`, 400, 'MALFORMED_REQUEST'],
    ['no path', `OPTIONS * HTTP/1.1\r\nHost: localhost\r\n${ENDS}`, 400, 'MALFORMED_REQUEST'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'an expectation that nobody meets',
      `GET /health/live HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n${ENDS}`,
      417,
      'EXPECTATION_FAILED',
    ],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('%s is refused with a problem document', async (_what, bytes, status, code) => {
    const api = await started(scriptedNode());
    const [head = '', body = ''] = (await rawAnswer(api, bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/problem\+json$/im);
    expect(head).toMatch(/^x-content-type-options: nosniff$/im);
    expect(JSON.parse(body)).toMatchObject({ status, code, type: `urn:bidmesh:error:${code}` });
  });

  it('a request that does not come to its end is refused in time', async () => {
    const api = await started(scriptedNode(), { headersTimeoutMs: 40, timeoutCheckMs: 10 });
    const answer = await rawAnswer(api, 'GET / HTTP/1.1\r\nHost: localhost\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
    expect(apiDefaults.timeoutCheckMs).toBeLessThanOrEqual(apiDefaults.headersTimeoutMs / 10);
  });

  it('does not spoil an answer that has begun', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield printed('begun');
      await new Promise(() => {});
    };
    const api = await started(node);
    const follow = 'GET /orchestrator/jobs/job-1/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.on('error', () => {});
    let got = '';
    socket.on('data', (chunk) => {
      if (!got.includes('begun') && `${got}${chunk.toString()}`.includes('begun')) socket.write('\0\r\n\r\n');
      got += chunk.toString();
    });
    const closed = once(socket, 'close');
    socket.write(follow);
    await closed;
    expect(got).toContain('begun');
    expect(got).not.toContain('MALFORMED_REQUEST');
  });
});

describe('a client that leaves in the middle of its request', () => {
  it.each(['/orchestrator/postJob', '/dms/blobs'])(
    '%s is counted and is no fault of the node',
    async (path) => {
      const node = scriptedNode();
      const errors: string[] = [];
      const logger = { ...node.logger, error: (message: string) => void errors.push(message) };
      const api = createApi({ ...apiDefaults, listen: '127.0.0.1:0' }, { ...node, logger });
      running.push(api);
      await api.start();
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nhalf`,
      );
      await vi.waitFor(async () => expect((await fetch(`${api.url}/health/live`)).ok).toBe(true));
      expect(api.counters()).toEqual({});
      socket.destroy();
      await vi.waitFor(() => expect(api.counters()).toEqual({ 'api.aborted': 1 }));
      expect(errors).toEqual([]);
    },
  );
});
