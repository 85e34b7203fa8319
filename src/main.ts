#!/usr/bin/env node
// `bidmesh.js` is what people start; npx may remember this file from when it was the one.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import type { CliEnvironment, OutputStream } from './cli/environment.ts';
import type { Clock } from './lib/clock.ts';

const NODE_READY_TIMEOUT_MS = 30_000;
/** From the request to stop. What was acknowledged is on disk by then, as it is at any other moment. */
const STOP_DEADLINE_MS = 10_000;

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  return {
    isTTY: stream.isTTY === true,
    ...(stream.isTTY ? { columns: () => stream.columns } : {}),
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

/** What is on this machine is never asked for through a proxy, whatever the environment says of proxies. */
function reachLoopbackDirectly(env: NodeJS.ProcessEnv): void {
  for (const name of ['no_proxy', 'NO_PROXY']) {
    const given = env[name];
    if (given === '*' || (given === undefined && name === 'no_proxy')) continue;
    env[name] = [...(given ? [given] : []), 'localhost', '127.0.0.1', '[::1]'].join(',');
  }
}

/** A terminal signals all that runs in it, and npx or an older Node.js in front of this one passes that on once more. */
const ECHO_MS = 250;

/** The first signal asks politely; the second one ends the process there and then. */
function onStop(clock: Clock, listener: () => void): () => void {
  let askedMs: number | undefined;
  const listen = (signal: NodeJS.Signals): void => {
    const nowMs = clock.monotonicMs();
    if (askedMs !== undefined) {
      if (nowMs - askedMs > ECHO_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    askedMs = nowMs;
    listener();
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return () => {
    process.off('SIGINT', listen);
    process.off('SIGTERM', listen);
  };
}

/** Compiled code is kept beside the packages: the next start is faster and holds less memory. */
const COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/bidmesh', import.meta.url));

/** With more than this the young space saves no time that is seen; V8 by itself goes to 134 MB under any load that lasts. */
const ENOUGH_YOUNG_BYTES = 16 * 1024 * 1024;

/** Ends what `bidmesh.js` began. Code compiled until now is written before, as another flag makes it another's. */
function growYoungSpace(): void {
  flushCompileCache();
  let grows = false;
  const decide = (): void => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const may = (young?.space_size ?? 0) < ENOUGH_YOUNG_BYTES;
    if (may === grows) return;
    grows = may;
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  };
  decide();
  new PerformanceObserver(decide).observe({ entryTypes: ['gc'] });
}

async function main(): Promise<number> {
  enableCompileCache(COMPILE_CACHE);
  const [{ runCli }, { systemClock }] = await Promise.all([import('./cli/run.ts'), import('./lib/clock.ts')]);
  // Each write tells whoever wrote; a reader that has left, as `head` does, is for the command to judge.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  reachLoopbackDirectly(process.env);
  const environment: CliEnvironment = {
    argv: process.argv.slice(2),
    env: process.env,
    home: homedir(),
    cwd: process.cwd(),
    stdin: { isTTY: isatty(0), bytes: () => process.stdin },
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    clock: systemClock,
    onStop: (listener) => onStop(systemClock, listener),
    startNode: async (options, onFatal) => {
      const [{ lookAround }, { thisHost }] = await Promise.all([
        import('./node/machine.ts'),
        import('./host.ts'),
      ]);
      const host = thisHost();
      const surroundings = lookAround(options, host);
      const { startNode } = await import('./node/node.ts');
      const node = await startNode(options, host, { onFatal, surroundings });
      growYoungSpace();
      const { endWithin } = await import('./launcher/stop-deadline.ts');
      return {
        ...node,
        stop: () => {
          endWithin(process.pid, process.execPath, STOP_DEADLINE_MS);
          return node.stop();
        },
      };
    },
    localNetwork: async () => {
      const [{ LocalNetwork }, { systemRandom }] = await Promise.all([
        import('./launcher/local-network.ts'),
        import('./lib/random.ts'),
      ]);
      const name = Buffer.from(systemRandom.bytes(8)).toString('hex');
      return new LocalNetwork(
        {
          nodePath: process.execPath,
          mainPath: fileURLToPath(new URL('../src/bidmesh.js', import.meta.url)),
          temporaryRoot: tmpdir(),
          env: process.env,
          network: `local-${name}`,
          readyTimeoutMs: NODE_READY_TIMEOUT_MS,
        },
        systemClock,
      );
    },
  };
  // Timers here do not keep the process alive; an open port does, until the command is done.
  const { port1 } = new MessageChannel();
  port1.ref();
  port1.on('message', () => {});
  return runCli(environment).finally(() => port1.close());
}

process.exit(await main());
