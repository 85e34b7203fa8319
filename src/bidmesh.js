#!/usr/bin/env node
// Plain JavaScript, so that compiled code is in use before the first TypeScript file: a start that finds all of it
// never loads the compiler, which costs 17 MB. An old Node.js, too, gets as far as the sentence below.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

const OLDEST_NODE = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `Bidmesh needs Node.js ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node}. In a checkout, run it with npx bidmesh or an npm script: they use the Node.js that npm installed.\n`,
  );
  process.exitCode = 1;
} else {
  // The start of a node is one burst of garbage, which would leave 40 MB of young space behind. `main.ts` lets it
  // grow again once the node is ready. Compiled code is kept for the flags it was made under, so this comes first.
  // Until V8 looks at the old space it lets it grow to four times what is in use, which a flood of requests fills
  // with garbage: 140 MB. A third more is enough.
  if (process.argv[2] === 'start') {
    v8.setFlagsFromString('--semi-space-growth-factor=1');
    v8.setFlagsFromString('--heap-growing-percent=30');
  }
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/bidmesh', import.meta.url)));
  await import('./main.ts');
}
