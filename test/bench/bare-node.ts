import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Level } from 'level';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { residentBytes } from './nodes.ts';

const CODE = fileURLToPath(new URL('../../node_modules/.cache/bidmesh', import.meta.url));

export interface BareFigures {
  readonly readyMs: number;
  readonly rssMb: number;
}

/**
 * The least a node of these parts can take: libp2p as a node sets it up, a LevelDB and an HTTP server, each open and
 * idle, in one process without a line of the market. Started and kept small as a node is.
 */
export async function measureBareNode(settleMs: number): Promise<BareFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-bare-'));
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    ['--semi-space-growth-factor=1', fileURLToPath(import.meta.url), folder],
    { env: { ...process.env, NODE_COMPILE_CACHE: CODE }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  try {
    await ready(child);
    const readyMs = performance.now() - startedMs;
    await wait(settleMs);
    return { readyMs, rssMb: (await residentBytes(child.pid ?? 0)) / 1e6 };
  } finally {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      child.disconnect();
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const early = new AbortController();
  const { signal } = early;
  const exit = once(child, 'exit', { signal }).then(() => {
    throw new Error('the bare node ended early');
  });
  exit.catch(() => {});
  try {
    await Promise.race([once(child, 'message', { signal }), exit]);
  } finally {
    early.abort();
  }
}

async function be(folder: string): Promise<void> {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const privateKeyRaw = Buffer.concat([jwk.d, jwk.x].map((part) => Buffer.from(part ?? '', 'base64url')));
  const underlay = createLibp2pUnderlay(
    {
      network: 'floor',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      bootstrap: [],
      mdns: false,
      kadDht: 'off',
      peerExchange: true,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    { privateKeyRaw, clock: systemClock, logger: silentLogger },
  );
  await new Level(folder).open();
  await underlay.start();
  const answer = getRequestListener(new Hono().fetch);
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.('ready');
}

if (import.meta.main) {
  process.once('disconnect', () => process.exit());
  await be(process.argv[2] ?? '');
}
