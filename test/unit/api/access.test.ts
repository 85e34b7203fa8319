import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/api/index.ts';
import { apiDefaults, isLoopbackHost, parseListen } from '../../../src/api/options.ts';
import { inProcess, scriptedNode } from './scripted-node.ts';

const TOKEN = 'a-token-of-some-length';

async function statusOf(headers: Readonly<Record<string, string>>, method = 'GET'): Promise<number> {
  const { request } = inProcess(scriptedNode());
  return (await request('/dms/status', { method, headers })).status;
}

describe('access on loopback', () => {
  it.each(['localhost', 'LOCALHOST:9999', '127.0.0.1', '127.0.0.1:1234', '127.0.0.2', '[::1]', '[::1]:9999'])(
    'serves the host %s',
    async (host) => {
      expect(await statusOf({ host })).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:9999',
    'localhost:9999@evil.example',
    '127.0.0.2.evil.example',
    '127.0.0',
    '0.0.0.0:9999',
    '[::2]',
    'localhost:',
    'a localhost',
  ])('refuses the host %s', async (host) => {
    const { request } = inProcess(scriptedNode());
    const response = await request('/dms/status', { headers: { host } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'HOST_FORBIDDEN' });
  });

  it('refuses a request without a host', async () => {
    const { app } = inProcess(scriptedNode());
    expect((await app.request('http://localhost:9999/dms/status')).status).toBe(403);
  });

  it.each([
    ['localhost:9999', 'http://localhost:9999', 200],
    ['127.0.0.1:9999', 'HTTP://127.0.0.1:9999', 200],
    ['localhost:9999', 'http://localhost:3000', 403],
    ['localhost:9999', 'http://127.0.0.1:9999', 403],
    ['localhost:9999', 'https://localhost:9999', 403],
    ['localhost:9999', 'http://evil.example', 403],
    ['localhost:9999', 'null', 403],
  ])('host %s with origin %s gives %i', async (host, origin, status) => {
    expect(await statusOf({ host, origin })).toBe(status);
  });

  it('keeps a web page from posting a job', async () => {
    const node = scriptedNode();
    const response = await inProcess(node).request('/orchestrator/postJob', {
      method: 'POST',
      body: '{}',
      headers: { origin: 'http://evil.example', 'content-type': 'application/json' },
    });
    expect(await response.json()).toMatchObject({ status: 403, code: 'ORIGIN_FORBIDDEN' });
    expect(node.orchestrator.posted).toEqual([]);
  });
});

describe('access off loopback', () => {
  const outside = { listen: '0.0.0.0:9999', token: TOKEN };

  it('does not start without a token', () => {
    expect(() => createApi({ ...apiDefaults, listen: '0.0.0.0:9999' }, scriptedNode())).toThrow(
      expect.objectContaining({ code: 'API_TOKEN_REQUIRED' }),
    );
  });

  it.each([
    [undefined, 401],
    ['Bearer wrong', 401],
    [`Bearer ${TOKEN}x`, 401],
    [`Basic ${TOKEN}`, 401],
    ['Bearer ', 401],
    [`Bearer ${TOKEN}`, 200],
    [`bearer ${TOKEN}`, 200],
  ])('authorization %j gives %i', async (authorization, status) => {
    const { request } = inProcess(scriptedNode(), outside);
    const headers = { host: 'node.example', ...(authorization === undefined ? {} : { authorization }) };
    const response = await request('/dms/status', { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
  });

  it('leaves the health checks open, and nothing else', async () => {
    const { request } = inProcess(scriptedNode(), outside);
    expect((await request('/health/live')).status).toBe(200);
    expect((await request('/health/ready')).status).toBe(200);
    expect((await request('/metrics')).status).toBe(401);
    expect((await request('/openapi.json')).status).toBe(401);
    expect((await request('/nothing')).status).toBe(401);
  });

  it('asks for the token on loopback too, once there is one', async () => {
    const { request } = inProcess(scriptedNode(), { token: TOKEN });
    expect((await request('/dms/status')).status).toBe(401);
  });
});

describe('listen addresses', () => {
  it.each([
    ['127.0.0.1:9999', { host: '127.0.0.1', port: 9999 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['node.example:80', { host: 'node.example', port: 80 }],
    ['127.0.0.1', undefined],
    ['127.0.0.1:70000', undefined],
    ['::1:80', undefined],
    ['http://127.0.0.1:80', undefined],
  ])('%s', (text, parsed) => {
    expect(parseListen(text)).toEqual(parsed);
  });

  it.each([
    ['localhost', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['127.evil.example', false],
    ['0.0.0.0', false],
    ['::', false],
  ])('%s is loopback: %s', (host, loopback) => {
    expect(isLoopbackHost(host)).toBe(loopback);
  });
});
