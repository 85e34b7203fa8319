import { randomBytes } from 'node:crypto';
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

export async function uploadBlob(api: string, bytes: Uint8Array): Promise<string> {
  const response = await fetch(`${api}/dms/blobs`, {
    method: 'POST',
    body: new Blob([new Uint8Array(bytes)]),
  });
  const { cid } = (await response.json()) as { cid: string };
  return cid;
}

/** Posts a job and returns the path of its record. */
export async function postJob(api: string, job: unknown): Promise<string> {
  const response = await fetch(`${api}/orchestrator/postJob`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(job),
  });
  if (response.status !== 202) throw new Error(`postJob: ${response.status} ${await response.text()}`);
  const location = response.headers.get('location');
  if (location === null) throw new Error('postJob gave no Location');
  return location;
}

/** Calls `seen` for each event of a job, as it arrives, until it returns true. */
export async function followEvents(api: string, job: string, seen: (type: string) => boolean): Promise<void> {
  const abort = new AbortController();
  const response = await fetch(`${api}${job}/events`, {
    headers: { accept: 'text/event-stream' },
    signal: abort.signal,
  });
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const data = frame.split('\n').find((line) => line.startsWith('data:'));
        if (data === undefined) continue;
        const { type } = JSON.parse(data.slice(5)) as { type?: string };
        if (type !== undefined && seen(type)) return;
      }
    }
  } finally {
    abort.abort();
  }
}

/** The memory a process has resident, where the system tells (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return Number(match?.[1] ?? Number.NaN) * 1024;
}
