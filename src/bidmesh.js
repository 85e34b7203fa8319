#!/usr/bin/env node
// What people start. Plain JavaScript, so that compiled code is in use before the first TypeScript file of a checkout:
// a start that finds all of it never loads the compiler, which costs 17 MB. An old Node.js, too, gets this far, and
// hands over to the one that npm brought.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

const OLDEST_NODE = [22, 18];
const SELF = fileURLToPath(import.meta.url);

function isTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

/** The Node.js that npm installed as an optional package, where there is one for this machine. */
function broughtNode() {
  try {
    const name = `node-${process.platform}-${process.arch}`;
    return join(
      dirname(module.createRequire(import.meta.url).resolve(`${name}/package.json`)),
      'bin',
      'node',
    );
  } catch {
    return undefined;
  }
}

function refuse() {
  process.stderr.write(
    `Bidmesh needs Node.js ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node}. npm brings one along on Linux (x64, arm64), unless it was told to leave optional packages out; elsewhere install a newer one.\n`,
  );
  process.exitCode = 1;
}

/** Runs the same on a newer Node.js, and ends as it ends. It is told of this process' end by the channel between them. */
function handOver(node) {
  const child = spawn(node, [SELF, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', refuse);
  child.on('exit', (code, signal) => {
    for (const each of signals) process.removeAllListeners(each);
    if (signal === null) process.exitCode = code;
    else process.kill(process.pid, signal);
  });
}

/** Of an older Node.js that has handed over to this one. */
function endWithParent() {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

async function run() {
  // The start of a node is one burst of garbage, which would leave 40 MB of young space behind. `main.ts` lets it
  // grow again once the node is ready. Compiled code is kept for the flags it was made under, so this comes first.
  // Until V8 looks at the old space it lets it grow to four times what is in use, which a flood of requests fills
  // with garbage: 140 MB. A third more is enough.
  if (process.argv[2] === 'start') {
    v8.setFlagsFromString('--semi-space-growth-factor=1');
    v8.setFlagsFromString('--heap-growing-percent=30');
  }
  endWithParent();
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/bidmesh', import.meta.url)));
  // A checkout runs from source; the package has no source.
  const [source, built] = ['main.ts', '../dist/main.js'].map((path) => new URL(path, import.meta.url));
  await import((existsSync(source) ? source : built).href);
}

if (isTooOld()) {
  const node = broughtNode();
  if (node === undefined) refuse();
  else handOver(node);
} else {
  await run();
}
