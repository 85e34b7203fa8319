import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BidmeshClient } from '../../src/client/index.ts';
import { LocalNetwork } from '../../src/launcher/local-network.ts';
import { systemClock } from '../../src/lib/clock.ts';

/** A name that no other network has. */
export function benchName(): string {
  return `bench-${randomBytes(6).toString('hex')}`;
}

/** A private network of node processes for one measurement. */
export function benchNetwork(network = benchName()): LocalNetwork {
  return new LocalNetwork(
    {
      nodePath: process.execPath,
      mainPath: fileURLToPath(new URL('../../src/bidmesh.js', import.meta.url)),
      temporaryRoot: tmpdir(),
      env: process.env,
      network,
      readyTimeoutMs: 30_000,
    },
    systemClock,
  );
}

/** A node of a measurement. */
export function benchClient(api: string): BidmeshClient {
  return new BidmeshClient({ url: api, fetch: leanFetch });
}

const agent = new Agent({ keepAlive: true });
/** What an answer cannot have a body with. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Requests cost the measured nodes a processor as well, and the system's own `fetch` takes twice as much of it. */
async function leanFetch(
  address: URL,
  { method = 'GET', headers, body, signal }: RequestInit,
): Promise<Response> {
  const sent = request(address, {
    method,
    agent,
    headers: Object.fromEntries(new Headers(headers)),
    ...(signal instanceof AbortSignal ? { signal } : {}),
  });
  sent.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const { statusCode: status = 0, headers: said } = answer;
  const answered = new Headers(Object.entries(said).map(([name, value]) => [name, String(value)]));
  const isStream = said['content-type']?.startsWith('text/event-stream') === true;
  const bytes = isStream ? Readable.toWeb(answer) : await text(answer);
  return new Response(WITHOUT_BODY.has(status) ? null : bytes, { status, headers: answered });
}

/** The memory a process has resident, where the system tells (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return Number(match?.[1] ?? Number.NaN) * 1024;
}
