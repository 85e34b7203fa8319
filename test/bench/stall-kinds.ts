import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** One thing that a stranger can do to a node over HTTP, from its beginning until the node has dealt with it. */
export interface HostileKind {
  readonly name: string;
  readonly attack: (api: URL) => Promise<void>;
}

const MOST_BYTES = 4 * 1024 * 1024;
const PIECE_MS = 2000;

/** Bodies of almost 4 MB, the most that is taken. */
const BODIES: readonly (readonly [name: string, type: 'json' | 'yaml', body: () => string])[] = [
  ['closing braces', 'yaml', () => '}'.repeat(3_500_000)],
  ['commas', 'yaml', () => filled(',')],
  ['quotes', 'yaml', () => filled('"')],
  ['quoted text', 'yaml', () => `a: "${filled('x')}"`],
  ['bad escapes', 'yaml', () => `a: "${filled('\\q')}"`],
  ['good escapes', 'yaml', () => `a: "${filled('\\n')}"`],
  ['open brackets', 'yaml', () => filled('[')],
  ['lists in one line', 'yaml', () => filled('- ')],
  ['keys without values', 'yaml', () => filled('? a\n')],
  ['colons', 'yaml', () => filled('::')],
  ['comments', 'yaml', () => filled('# c\n')],
  ['documents', 'yaml', () => filled('---\n')],
  ['anchors and aliases', 'yaml', () => filled('- &a *a\n')],
  ['tags', 'yaml', () => filled('!t ')],
  ['lines of plain text', 'yaml', () => filled(' a\n')],
  ['a literal block', 'yaml', () => `a: |\n${filled('  x\n')}`],
  ['many keys', 'yaml', () => Array.from({ length: 300_000 }, (_, at) => `k${at}: 1`).join('\n')],
  ['open brackets', 'json', () => filled('[')],
  ['empty lists', 'json', () => `[${filled('[],')}[]]`],
  ['blanks', 'json', () => filled(' ')],
  ['line ends', 'json', () => filled('\n')],
  ['good escapes', 'json', () => `{"a":"${filled('\\n')}"}`],
  ['half characters', 'json', () => `{"a":"${filled('\\ud800')}"}`],
  ['many keys', 'json', () => `{${Array.from({ length: 300_000 }, (_, at) => `"k${at}":1`).join(',')}}`],
  ['a long number', 'json', () => filled('9')],
  ['a job with a megabyte of text', 'json', () => jobWith('x\n'.repeat(500_000))],
  ['a job with a megabyte of escapes', 'json', () => jobWith('\u0001'.repeat(600_000))],
  ['text that is too long for any field', 'json', () => jobWith('x'.repeat(4_000_000))],
];

const REQUEST_ENDS = ' HTTP/1.1\r\nHost: localhost\r\n\r\n';

export const hostileKinds: readonly HostileKind[] = [
  ...BODIES.map(
    ([name, type, body]): HostileKind => ({
      name: `${type}: ${name}`,
      attack: (api) => post(api, type, body().slice(0, MOST_BYTES)),
    }),
  ),
  ahead('1 000 openapi.json sent ahead', 1, 1000, `GET /openapi.json${REQUEST_ENDS}`),
  ahead('20 000 routes that are none sent ahead', 1, 20_000, `GET /${REQUEST_ENDS}`),
  ahead('500 metrics sent ahead', 1, 500, `GET /metrics${REQUEST_ENDS}`),
  ahead('500 lists of 500 jobs sent ahead', 1, 500, `GET /orchestrator/jobs?limit=500${REQUEST_ENDS}`),
  ahead(
    '500 requests of another site',
    1,
    500,
    `GET /dms/peers HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n`,
  ),
  ahead('50 connections that send 2 000 ahead', 50, 2000, `GET /health/live${REQUEST_ENDS}`),
  ahead('100 connections that ask for metrics', 100, 10, `GET /metrics${REQUEST_ENDS}`),
  unfinished('300 posts of 4 MB that do not end', '/orchestrator/postJob', MOST_BYTES - 100),
  unfinished('300 uploads that do not end', '/dms/blobs', 1_000_000),
];

function filled(mark: string): string {
  return mark.repeat(Math.floor((MOST_BYTES - 64) / Buffer.byteLength(mark)));
}

function jobWith(text: string): string {
  return JSON.stringify({ engine: { type: 'python', params: { script: { text } } } });
}

async function post(api: URL, type: string, body: string): Promise<void> {
  const response = await fetch(new URL('/orchestrator/postJob?dryRun=false', api), {
    method: 'POST',
    headers: { 'content-type': `application/${type}` },
    body,
  });
  await response.arrayBuffer();
}

/** Connections on which many requests are sent before the first answer is read. */
function ahead(name: string, connections: number, count: number, request: string): HostileKind {
  const one = (api: URL): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(api.port), api.hostname);
      let answers = 0;
      socket.on('data', (bytes) => {
        for (let at = bytes.indexOf('HTTP/1.1 '); at >= 0; at = bytes.indexOf('HTTP/1.1 ', at + 1))
          answers += 1;
        // One that is cut in two between two reads is not counted.
        if (answers >= count * 0.99) socket.destroy();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.write(request.repeat(count));
    });
  return {
    name,
    attack: async (api) => {
      await Promise.all(Array.from({ length: connections }, () => one(api)));
    },
  };
}

/** Requests whose bodies stop before their end, for a while. */
function unfinished(name: string, path: string, sentBytes: number): HostileKind {
  return {
    name,
    attack: async (api) => {
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${MOST_BYTES}\r\n\r\n`;
      const part = Buffer.alloc(sentBytes, 0x20);
      const sockets = Array.from({ length: 300 }, () => {
        const socket = connect(Number(api.port), api.hostname);
        socket.on('error', () => {});
        socket.resume();
        socket.write(head);
        socket.write(part);
        return socket;
      });
      await wait(PIECE_MS);
      for (const socket of sockets) socket.destroy();
    },
  };
}
