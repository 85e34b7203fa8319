#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { CliEnvironment, OutputStream } from './cli/environment.ts';

const OLDEST_NODE = [22, 18] as const;
const NODE_READY_TIMEOUT_MS = 30_000;

function isOldNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  return {
    isTTY: stream.isTTY === true,
    write: (chunk) =>
      new Promise((resolve) => {
        stream.write(chunk, () => resolve());
      }),
  };
}

/** The first signal asks politely; the second one ends the process there and then. */
function onStop(listener: () => void): () => void {
  let asked = false;
  const listen = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
    asked = true;
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

async function main(): Promise<number> {
  enableCompileCache(COMPILE_CACHE);
  const [{ runCli }, { systemClock }] = await Promise.all([import('./cli/run.ts'), import('./lib/clock.ts')]);
  // A reader that has left, as in `bidmesh job logs ID | head`, is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => process.exit(0));
  }
  const environment: CliEnvironment = {
    argv: process.argv.slice(2),
    env: process.env,
    home: homedir(),
    cwd: process.cwd(),
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    clock: systemClock,
    onStop,
    startNode: async (options, onFatal) => {
      const { startNode } = await import('./node.ts');
      const host = {
        nodePath: process.execPath,
        searchPath: process.env['PATH'] ?? '',
        constrainedMemoryBytes: process.constrainedMemory() ?? 0,
      };
      return startNode(options, host, { onFatal });
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
          mainPath: fileURLToPath(import.meta.url),
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

if (isOldNode()) {
  console.error(
    `Bidmesh needs Node.js ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node}. In a checkout, run it with npx bidmesh or an npm script: they use the Node.js that npm installed.`,
  );
  process.exitCode = 1;
} else {
  process.exit(await main());
}
