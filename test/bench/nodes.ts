import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
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

/** Requests cost the measured nodes a processor as well, so this is the leanest client there is. */
const agent = new Agent({ keepAlive: true });

async function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const sent = request(url, { method, agent, headers, ...(signal === undefined ? {} : { signal }) });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

export async function uploadBlob(api: string, bytes: Uint8Array): Promise<string> {
  const response = await send('POST', `${api}/dms/blobs`, {}, bytes);
  const { cid } = JSON.parse(await text(response)) as { cid: string };
  return cid;
}

/** Posts a job and returns the path of its record. */
export async function postJob(api: string, job: unknown, signal?: AbortSignal): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await send('POST', `${api}/orchestrator/postJob`, headers, JSON.stringify(job), signal);
  const said = await text(response);
  if (response.statusCode !== 202) throw new Error(`postJob: ${response.statusCode} ${said}`);
  const { location } = response.headers;
  if (location === undefined) throw new Error('postJob gave no Location');
  return location;
}

/** Calls `seen` for each event of a job, as it arrives, until it returns true. */
export async function followEvents(
  api: string,
  job: string,
  seen: (type: string) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const headers = { accept: 'text/event-stream' };
  const response = await send('GET', `${api}${job}/events`, headers, undefined, signal);
  response.setEncoding('utf8');
  let waiting = '';
  try {
    for await (const chunk of response) {
      waiting += chunk;
      const frames = waiting.split('\n\n');
      waiting = frames.pop() ?? '';
      for (const frame of frames) {
        const type = /^event: (.*)$/m.exec(frame)?.[1];
        if (type !== undefined && seen(type)) return;
      }
    }
  } finally {
    response.destroy();
  }
}

/** The memory a process has resident, where the system tells (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return Number(match?.[1] ?? Number.NaN) * 1024;
}
