import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseApiUrl, requestFailure } from '../../../src/cli/request-failure.ts';
import { CodedError, codeOf, messageOf } from '../../../src/lib/coded-error.ts';
import { closedPort } from './closed-port.ts';
import { type Desk, openDesk, type Outcome } from './command-line.ts';

let desk: Desk;
let server: Server | undefined;

beforeEach(async () => {
  desk = await openDesk();
  await writeFile(join(desk.folder, 'a.py'), 'print(1)');
});

afterEach(async () => {
  server?.close();
  server = undefined;
  await desk.close();
});

/** Something that listens and is no node: it does `answer` with the first bytes it gets. */
async function listening(answer: (socket: Socket) => void): Promise<string> {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port }: AddressInfo = Object(server.address());
  return `127.0.0.1:${port}`;
}

const status = (api: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  desk.run(['--api', api, 'status'], { env });

describe('a request that comes to nothing', () => {
  it('where nothing listens: no node answers', async () => {
    const { exitCode, stderr } = await status(`127.0.0.1:${await closedPort()}`);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/API_UNREACHABLE: No node answers at .*npx bidmesh start/);
  });

  it.each([10_080, 1, 6000])('at port %i, which web clients refuse: the port', async (port) => {
    const { exitCode, stderr } = await status(`http://127.0.0.1:${port}`);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`API_PORT_BLOCKED: .*port ${port} .*--api`));
    expect(stderr).not.toContain('No node answers');
  });

  it('with TLS where there is none, and without where there is', async () => {
    const { host } = new URL(desk.api.url);
    expect((await status(`https://${host}`)).stderr).toMatch(/API_TLS_FAILED: .*no TLS: .*http:\/\/127/);
    const api = await listening((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 40])));
    expect((await status(api)).stderr).toMatch(/API_TLS_FAILED: .*speaks TLS: .*https:\/\/127/);
  });

  it('where something else listens: that it is no node', async () => {
    const ssh = await listening((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    expect((await status(ssh)).stderr).toMatch(/API_UNEXPECTED: .*does not speak HTTP/);
  });

  it('where another web server listens: what it said', async () => {
    const web = await listening((socket) =>
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>'),
    );
    expect((await status(web)).stderr).toMatch(/API_UNEXPECTED: .*404 Not Found.*--api/);
  });

  it.each([
    ['before the answer', (socket: Socket) => socket.end()],
    ['by a reset', (socket: Socket) => socket.resetAndDestroy()],
    [
      'in the middle of the answer',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"peerId"', () => socket.destroy());
      },
    ],
  ])('where the connection ends %s: that it ended', async (_when, answer) => {
    const { exitCode, stderr } = await status(await listening(answer));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/API_UNREACHABLE: The connection to http:\/\/127\S* ended/);
    expect(stderr).not.toContain('No node answers');
  });
});

describe('what cannot be sent', () => {
  it.each([
    ['http://me:secret@127.0.0.1:9999', /user and password .*BIDMESH__API__TOKEN/],
    ['http://127.0.0.1:9999/node', /ends behind its port/],
    ['http://127.0.0.1:9999?a=b', /ends behind its port/],
    ['ftp://127.0.0.1', /speaks HTTP and not ftp/],
    ['unix:///run/node.sock', /speaks HTTP and not unix/],
    ['http://127.0.0.1:0', /port 0/],
    ['http://127.0.0.1:99999', /no address of a node/],
    ['9999', /"9999" is a port and no machine: give a URL such as http:\/\/127\.0\.0\.1:9999/],
    [':9999', /is a port and no machine/],
    ['http://256.1.1.1', /no address of a node/],
    [' ', /no address of a node/],
  ])('the address %j', async (api, words) => {
    const { exitCode, stderr } = await status(api);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('secret');
  });

  it.each(['tökén', 'two words', 'a\nb', '北', ' '])('the token %j', async (token) => {
    const { exitCode, stderr } = await status(desk.api.url, { BIDMESH__API__TOKEN: token });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/USAGE: The token in BIDMESH__API__TOKEN .*visible ASCII/),
    });
  });

  it.each(['北', 'two words', '', 'x'.repeat(256)])('the idempotency key %j', async (key) => {
    const { exitCode, stderr } = await desk.run(['job', 'post', '--idempotency-key', key, 'a.py']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/USAGE: --idempotency-key .* 1 to 255 visible ASCII/);
    expect(desk.node.content.files.size).toBe(0);
  });

  it('takes an empty variable as one that is not there', async () => {
    const env = { BIDMESH__API__TOKEN: '' };
    expect((await status(desk.api.url, env)).exitCode).toBe(0);
    expect((await desk.run(['status'], { env: { BIDMESH_API: '' } })).stderr).not.toContain('USAGE');
  });
});

describe('words for each failure of the system', () => {
  const failing = (code: string, message = code): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
  const far = parseApiUrl('https://node.example:444');
  const near = parseApiUrl('127.0.0.1:9999');

  it.each([
    ['ENOTFOUND', 'API_UNREACHABLE', /no machine of the name node\.example/],
    ['EAI_AGAIN', 'API_UNREACHABLE', /name node\.example cannot be looked up now/],
    ['ETIMEDOUT', 'API_UNREACHABLE', /node\.example:444 did not answer in time: a firewall/],
    ['UND_ERR_CONNECT_TIMEOUT', 'API_UNREACHABLE', /did not answer in time/],
    ['EHOSTUNREACH', 'API_UNREACHABLE', /no way to node\.example:444/],
    ['ENETUNREACH', 'API_UNREACHABLE', /no way to/],
    ['UND_ERR_HEADERS_TIMEOUT', 'API_UNREACHABLE', /silent for too long/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'API_TLS_FAILED', /certificate .*NODE_EXTRA_CA_CERTS/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'API_TLS_FAILED', /certificate/],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'API_TLS_FAILED', /No TLS connection/],
    ['EMFILE', 'API_UNREACHABLE', /does not let a connection/],
    ['ESOMETHING', 'API_REQUEST_FAILED', /ESOMETHING/],
  ])('%s', (code, name, words) => {
    const failure = requestFailure(far, failing(code), {});
    expect([codeOf(failure), messageOf(failure)]).toEqual([name, expect.stringMatching(words)]);
  });

  it('names the proxy that the request went through, or that it did not', () => {
    const env = { HTTPS_PROXY: 'http://proxy:3128' };
    const used = { ...env, NODE_USE_ENV_PROXY: '1' };
    const refused = failing('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:3128');
    expect(messageOf(requestFailure(far, refused, used))).toMatch(
      /through the proxy in HTTPS_PROXY.*NO_PROXY/,
    );
    expect(messageOf(requestFailure(far, refused, env))).toMatch(
      /HTTPS_PROXY was not used: set NODE_USE_ENV/,
    );
    for (const told of [env, used]) {
      expect(messageOf(requestFailure(near, refused, told))).not.toMatch(/proxy/i);
    }
  });

  it('leaves what has a code of its own', () => {
    const own = new CodedError('FILE_UNREADABLE', 'The disk ended.');
    expect(requestFailure(near, new TypeError('fetch failed', { cause: own }), {})).toBe(own);
  });
});
