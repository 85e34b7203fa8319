import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type GlobalOwner,
  globalViolations,
  type ImportRow,
  importViolations,
  type MemberOwner,
  memberViolations,
  mutualImports,
  nameViolations,
  type PackageOwner,
  packageViolations,
  protocolViolations,
  type Ratchet,
  sizeViolations,
} from './architecture/rules.ts';
import { readSource } from './architecture/source-model.ts';

const MARKET = ['orchestrator', 'provider', 'registry', 'content', 'settlement', 'tasks'];
const EDGES = ['network', 'store', 'identity', 'api'];
const BELOW = ['messages/', 'openapi/', 'domain/', 'engines/', 'lib/'];
const PORTS = MARKET.map((part) => `${part}/ports.ts`);
const INDEXES = MARKET.map((part) => `${part}/index.ts`);
const OPTIONS = [...[...MARKET, ...EDGES].map((part) => `${part}/options.ts`), 'network/libp2p/options.ts'];
const FOLDERS = [...MARKET, ...EDGES, 'proof', 'config', 'launcher'].map((part) => `${part}/`);
const COMMANDS = [
  'client/index.ts',
  'node/node.ts',
  'config/',
  'launcher/',
  'words/',
  'proof/',
  'identity/authority.ts',
  'identity/authority/',
  'engines/',
  'lib/',
];

/** Who may import whom, besides itself. */
const ROWS: readonly ImportRow[] = [
  { from: 'lib/', values: [], types: [] },
  { from: 'engines/', values: ['lib/'], types: [] },
  { from: 'domain/', values: ['engines/', 'lib/'], types: [] },
  { from: 'words/', values: ['domain/', 'engines/', 'lib/'], types: [] },
  { from: 'messages/', values: ['domain/', 'engines/', 'lib/'], types: [] },
  // Also what runs in browsers reads the shapes: nothing of the node comes with them but types.
  { from: 'openapi/', values: [], types: ['domain/'] },
  {
    from: 'client/',
    values: ['openapi/', 'lib/backoff.ts', 'lib/chance.ts', 'lib/clock.ts', 'lib/coded-error.ts'],
    types: [],
  },
  ...MARKET.map((part) => ({ from: `${part}/`, values: ['domain/', 'engines/', 'lib/'], types: [] })),
  { from: 'proof/', values: BELOW, types: [] },
  { from: 'network/', values: BELOW, types: PORTS },
  { from: 'store/', values: BELOW, types: PORTS },
  { from: 'identity/', values: BELOW, types: PORTS },
  { from: 'api/', values: [...BELOW, 'words/'], types: INDEXES },
  { from: 'config/', values: [...OPTIONS, 'domain/', 'engines/', 'lib/'], types: [] },
  { from: 'launcher/', values: [...OPTIONS, 'lib/'], types: [] },
  { from: 'node/', values: [...FOLDERS, ...BELOW, 'words/'], types: [] },
  { from: 'cli/', values: COMMANDS, types: ['node/running-node.ts'] },
  { from: 'host.ts', values: [], types: ['node/base.ts'] },
  { from: 'main.ts', values: ['cli/', 'host.ts', 'node/machine.ts', ...COMMANDS], types: [] },
  {
    from: 'index.ts',
    values: ['host.ts', 'node/node.ts', 'config/', 'lib/'],
    types: ['node/running-node.ts'],
  },
];

/** What starts a process and looks after it. */
const CHILD_OWNERS = ['provider/engines/', 'provider/sandbox/', 'provider/processes/'];

/** The one place of each side effect that comes with a package. */
const PACKAGE_OWNERS: readonly PackageOwner[] = [
  { packages: /^(libp2p|@libp2p\/.*|@chainsafe\/libp2p-.*)$/, owners: ['network/'] },
  { packages: /^(level|.*-level)$/, owners: ['store/'] },
  { packages: /^(hono|@hono\/.*)(\/.*)?$/, owners: ['api/'] },
  { packages: /^node:child_process$/, owners: [...CHILD_OWNERS, 'launcher/'] },
  {
    packages: /^node:fs(\/promises)?$/,
    owners: [
      'store/',
      'content/',
      'identity/',
      'config/',
      ...CHILD_OWNERS,
      'provider/executions/attempt-folders.ts',
      'provider/resources/system.ts',
      'launcher/',
      'cli/',
      'main.ts',
    ],
  },
  { packages: /^systeminformation$/, owners: ['provider/resources/'] },
  { packages: /^node:(timers(\/promises)?|perf_hooks)$/, owners: ['lib/clock.ts'] },
  {
    packages: /^node:(process|console)$/,
    owners: ['main.ts', 'index.ts', 'host.ts', 'cli/', 'lib/logger.ts', 'provider/sandbox/child/'],
  },
  { packages: /^uuid$/, owners: ['lib/random.ts'] },
  // The lived time of a node goes on over restarts: only the composition root may begin with the bare clock.
  {
    packages: /(^|\/)lib\/clock\.ts$/,
    names: /^systemClock$/,
    owners: ['main.ts', 'node/node.ts', 'node/machine.ts', 'provider/sandbox/child/main.ts'],
  },
  // People are shown wall times by the node's calendar, and by nothing else.
  { packages: /(^|\/)(lib\/)?clock\.ts$/, names: /^isoTime$/, owners: ['main.ts', 'store/lived-time.ts'] },
  {
    packages: /^node:crypto$/,
    names: /^(random|getRandomValues|webcrypto|pseudoRandomBytes)/,
    owners: ['lib/random.ts'],
  },
  {
    packages: /^node:crypto$/,
    names:
      /^(sign|verify|createSign|createVerify|createPublicKey|createPrivateKey|generateKey|KeyObject$|diffieHellman)/,
    owners: ['identity/'],
  },
  { packages: /^@noble\/(ed25519|curves)(\/.*)?$/, owners: ['identity/'] },
];

const PROCESS_OWNERS = ['main.ts', 'index.ts', 'host.ts', 'cli/', 'lib/logger.ts', 'provider/sandbox/child/'];
/** What those who own child processes need beside `node:child_process`. */
const CHILD_CONTROL = ['process.kill', 'process.execPath'];

/** The one place of each side effect that needs no import. */
const GLOBAL_OWNERS: readonly GlobalOwner[] = [
  {
    globals: ['Date', 'performance', 'setInterval', 'setImmediate', 'AbortSignal.timeout'],
    owners: ['lib/clock.ts'],
  },
  { globals: ['setTimeout'], owners: ['lib/clock.ts', 'client/timers.ts'] },
  { globals: ['Math.random'], owners: ['lib/chance.ts'] },
  { globals: ['crypto'], owners: ['lib/random.ts'] },
  {
    globals: ['process', 'console'],
    except: [...CHILD_CONTROL, 'process.nextTick'],
    owners: PROCESS_OWNERS,
  },
  { globals: ['process.nextTick'], owners: ['lib/clock.ts'] },
  { globals: CHILD_CONTROL, owners: [...PROCESS_OWNERS, ...CHILD_OWNERS, 'launcher/'] },
  { globals: ['fetch', 'WebSocket'], owners: ['client/connection.ts'] },
];

/** Wall time jumps: it is read for signatures and ids, for programs of others, for the ages that people are shown, and where a calendar is made of it. */
const MEMBER_OWNERS: readonly MemberOwner[] = [
  {
    member: 'nowMs',
    owners: [
      'lib/clock.ts',
      'lib/random.ts',
      'cli/commands/job.ts',
      'messages/message.ts',
      'orchestrator/negotiation/negotiator.ts',
      'provider/sandbox/child/main.ts',
      'store/lived-time.ts',
    ],
    instead: 'livedMs or monotonicMs of the clock',
  },
];

const LIMITS = { fileLines: 300, functionLines: 70 };

/** What is over a limit today. Entries go down and away; none is added. */
const TOO_LARGE: Ratchet = {};

const sourcePaths = globSync('src/**/*.ts').map((path) => path.replaceAll('\\', '/'));
const models = sourcePaths.sort().map((path) => readSource(path, readFileSync(path, 'utf8')));
const specs = globSync('specs/**/*.md').map((path) => readFileSync(path, 'utf8'));

describe('the source tree', () => {
  it('imports only downwards', () => {
    expect(models.flatMap((model) => importViolations(model, ROWS))).toEqual([]);
  });

  it('has no two folders that import each other, at any depth', () => {
    expect(mutualImports(models)).toEqual([]);
  });

  it('has a client that runs in browsers: of packages it imports zod alone', () => {
    const inBrowsers = models.filter(({ path }) =>
      /^src\/(client|openapi|lib\/(backoff|clock|coded-error))[/.]/.test(path),
    );
    const packages = inBrowsers.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('.'))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(inBrowsers.length).toBeGreaterThan(20);
    expect(packages.filter((line) => !line.endsWith(': zod'))).toEqual([]);
  });

  it('keeps each package with a side effect in its one place', () => {
    expect(models.flatMap((model) => packageViolations(model, PACKAGE_OWNERS))).toEqual([]);
  });

  it('keeps clock, chance, process and console in their one place', () => {
    expect(models.flatMap((model) => globalViolations(model, GLOBAL_OWNERS))).toEqual([]);
  });

  it('reads wall time in few places', () => {
    expect(models.flatMap((model) => memberViolations(model, MEMBER_OWNERS))).toEqual([]);
    const readers = MEMBER_OWNERS.flatMap(({ owners }) => owners.map((owner) => `src/${owner}`));
    expect(readers.filter((path) => !models.some((model) => model.path === path))).toEqual([]);
  });

  it('has no file or folder with a name that says nothing', () => {
    const paths = [...sourcePaths, ...globSync('{test,features}/**/*.{ts,feature}')];
    expect(paths.flatMap((path) => nameViolations(path))).toEqual([]);
  });

  it('has no file and no function over its limit', () => {
    expect(models.flatMap((model) => sizeViolations(model, LIMITS, TOO_LARGE))).toEqual([]);
    expect(Object.keys(TOO_LARGE).filter((entry) => !existsSync(entry.split('#')[0] ?? entry))).toEqual([]);
  });

  it('names every protocol id and topic in specs/', () => {
    expect(models.flatMap((model) => protocolViolations(model, specs))).toEqual([]);
  });
});

describe('the checker', () => {
  const between = (...sources: (readonly [string, string])[]): string[] =>
    mutualImports(sources.map(([path, text]) => readSource(path, text)));
  const imports = (path: string, text: string): string[] => importViolations(readSource(path, text), ROWS);
  const packages = (path: string, text: string): string[] =>
    packageViolations(readSource(path, text), PACKAGE_OWNERS);
  const globals = (path: string, text: string): string[] =>
    globalViolations(readSource(path, text), GLOBAL_OWNERS);
  const sizes = (text: string, ratchet: Ratchet = {}): string[] =>
    sizeViolations(readSource('src/lib/a.ts', text), { fileLines: 4, functionLines: 2 }, ratchet);
  const protocols = (text: string, ...pages: string[]): string[] =>
    protocolViolations(readSource('src/network/a.ts', text), pages);

  it.each([
    ['src/lib/a.ts', `import { b } from '../domain/b.ts';`],
    ['src/domain/a.ts', `import type { B } from '../messages/b.ts';`],
    ['src/engines/wasm/a.ts', `import type { B } from '../../domain/b.ts';`],
    ['src/messages/a.ts', `import type { B } from '../provider/ports.ts';`],
    ['src/orchestrator/search/a.ts', `import type { B } from '../../provider/ports.ts';`],
    ['src/provider/a.ts', `export { b } from '../store/b.ts';`],
    ['src/store/a.ts', `import { b } from '../provider/ports.ts';`],
    ['src/store/a.ts', `import { type B } from '../provider/ports.ts';`],
    ['src/store/a.ts', `import type { B } from '../provider/locks/ledger.ts';`],
    ['src/network/a.ts', `import type { B } from '../store/b.ts';`],
    ['src/api/a.ts', `import type { B } from '../orchestrator/ports.ts';`],
    ['src/api/a.ts', `import { b } from '../orchestrator/index.ts';`],
    ['src/config/a.ts', `import { b } from '../provider/index.ts';`],
    ['src/node/node.ts', `import { b } from '../cli/b.ts';`],
    ['src/cli/a.ts', `const b = await import('../store/b.ts');`],
    ['src/cli/a.ts', `import { b } from '../main.ts';`],
    ['src/lib/a.ts', `export * from './b.ts';`],
    ['src/lib/a.ts', `import { b } from '../../test/b.ts';`],
    ['src/stuff/a.ts', ``],
  ])('refuses in %s: %s', (path, text) => {
    expect(imports(path, text)).toHaveLength(1);
  });

  it.each([
    ['src/domain/a.ts', `import { b } from '../lib/b.ts'; import { c } from './c.ts';`],
    ['src/domain/a.ts', `import { b } from '../engines/registry.ts';`],
    ['src/provider/engines/wasm/a.ts', `import { b } from '../../../engines/wasm/engine.ts';`],
    ['src/provider/locks/a.ts', `import { b } from '../resources/b.ts'; import { z } from 'zod';`],
    [
      'src/store/a.ts',
      `import type { B } from '../provider/ports.ts'; import { c } from '../messages/c.ts';`,
    ],
    ['src/api/a.ts', `import type { B } from '../orchestrator/index.ts';`],
    ['src/config/a.ts', `import { b } from '../network/options.ts';`],
    ['src/node/node.ts', `import { b } from '../store/b.ts'; import { c } from '../lib/c.ts';`],
    ['src/cli/a.ts', `import { b } from '../identity/authority.ts'; import { c } from '../node/node.ts';`],
    [
      'src/main.ts',
      `import { b } from './cli/b.ts'; import info from '../package.json' with { type: 'json' };`,
    ],
  ])('accepts in %s: %s', (path, text) => {
    expect(imports(path, text)).toEqual([]);
  });

  it('finds folders that import each other, directly or by others, and tells by which files', () => {
    const [aToB, bToC] = [
      ['src/provider/a/x.ts', `import type { Y } from '../b/deep/y.ts';`],
      ['src/provider/b/y.ts', `import { z } from '../c/z.ts';`],
    ] as const;
    expect(between(aToB, bToC, ['src/provider/c/z.ts', `import { q } from '../q.ts';`])).toEqual([]);
    expect(between(aToB, bToC, ['src/provider/c/z.ts', `import { x } from '../a/x.ts';`])).toEqual([
      'src/provider: a -> b -> c -> a (src/provider/a/x.ts, src/provider/b/y.ts, src/provider/c/z.ts)',
    ]);
  });

  it.each([
    ['src/orchestrator/a.ts', `import type { Stream } from '@libp2p/interface';`],
    ['src/provider/a.ts', `import { Level } from 'level';`],
    ['src/cli/a.ts', `import { Hono } from 'hono/tiny';`],
    ['src/provider/resources/a.ts', `import { spawn } from 'node:child_process';`],
    ['src/network/a.ts', `import { readFile } from 'node:fs/promises';`],
    ['src/domain/a.ts', `import { randomUUID } from 'node:crypto';`],
    ['src/messages/a.ts', `import * as crypto from 'node:crypto';`],
    ['src/messages/a.ts', `import { verifyAsync } from '@noble/ed25519';`],
    ['src/registry/a.ts', `const { sign } = await import('node:crypto');`],
    ['src/registry/a.ts', `import { setTimeout } from 'node:timers/promises';`],
    ['src/provider/engines/a.ts', `import si from 'systeminformation';`],
    ['src/orchestrator/a.ts', `import { systemClock } from '../lib/clock.ts';`],
    ['src/api/views/a.ts', `import { isoTime } from '../../lib/clock.ts';`],
  ])('refuses the package in %s: %s', (path, text) => {
    expect(packages(path, text)).not.toEqual([]);
  });

  it.each([
    ['src/network/a.ts', `import { createLibp2p } from 'libp2p'; import { createHash } from 'node:crypto';`],
    [
      'src/identity/a.ts',
      `import { sign, verify } from 'node:crypto'; import { readFile } from 'node:fs/promises';`,
    ],
    ['src/launcher/a.ts', `import { spawn } from 'node:child_process';`],
  ])('accepts the package in %s: %s', (path, text) => {
    expect(packages(path, text)).toEqual([]);
  });

  it.each([
    `const now = Date.now();`,
    `const at = new Date(0);`,
    `performance.now();`,
    `const id = globalThis.setTimeout(() => {}, 1);`,
    `const wait = { setInterval };`,
    `export const chance = (): number => Math.random();`,
    `crypto.randomUUID();`,
    `const path = process.env['PATH'] as string;`,
    'const text = `${process.cwd()}`;',
    `console.log('');`,
    `process.kill(1);`,
    `globalThis.process.exit();`,
    `const { env } = process;`,
    `await fetch('', { signal });`,
    `const signal = AbortSignal.timeout(1);`,
  ])('refuses the global in: %s', (text) => {
    expect(globals('src/provider/a.ts', text)).toHaveLength(1);
  });

  it.each([
    [
      'src/provider/a.ts',
      `interface A { at: Date; process: number } const a = (process: A) => process.process;`,
    ],
    [
      'src/provider/a.ts',
      `import { fetch } from './content.ts'; fetch(); const b = { console: 1 }; b.console;`,
    ],
    ['src/provider/a.ts', `// Date.now() and setTimeout\nconst text = 'process.exit';`],
    ['src/lib/clock.ts', `Date.now(); setTimeout(() => {}, performance.now());`],
    ['src/launcher/a.ts', `process.kill(1, 'SIGKILL'); spawn(process.execPath);`],
    ['src/cli/a.ts', `process.exitCode = 1; console.log('');`],
    ['src/client/connection.ts', `await fetch('');`],
  ])('accepts the names in %s: %s', (path, text) => {
    expect(globals(path, text)).toEqual([]);
  });

  it.each([
    `const now = clock.nowMs();`,
    `const now = this.#needs.clock.nowMs();`,
    `const { nowMs } = clock;`,
    `const { nowMs: time } = clock;`,
    `const read = clock['nowMs'];`,
    `schedule({ now: clock.nowMs });`,
  ])('refuses wall time in: %s', (text) => {
    expect(memberViolations(readSource('src/provider/a.ts', text), MEMBER_OWNERS)).toHaveLength(1);
  });

  it.each([
    [
      'src/provider/a.ts',
      `const nowMs = clock.livedMs(); wait(nowMs, { nowMs, other: clock.monotonicMs() });`,
    ],
    ['src/messages/message.ts', `sign({ issuedAt: context.clock.nowMs() });`],
  ])('accepts the times in %s: %s', (path, text) => {
    expect(memberViolations(readSource(path, text), MEMBER_OWNERS)).toEqual([]);
  });

  it.each(['src/lib/utils.ts', 'src/shared/a.ts', 'src/provider/lock-manager.ts', 'test/helpers/a.ts'])(
    'refuses the name %s',
    (path) => {
      expect(nameViolations(path)).toHaveLength(1);
    },
  );

  it('accepts names that only contain such a word', () => {
    expect(nameViolations('src/network/shared-secret.ts')).toEqual([]);
  });

  it('counts the lines of files and of functions, nested ones and methods too', () => {
    expect(sizes('1;\n2;\n3;\n4;\n')).toEqual([]);
    expect(sizes('1;\n2;\n3;\n4;\n5;\n')).toHaveLength(1);
    expect(sizes('function a() {\n\n}')).toEqual(['src/lib/a.ts#a has 3 lines, the limit is 2']);
    expect(sizes('class A { b() {\n\n} }')).toEqual(['src/lib/a.ts#b has 3 lines, the limit is 2']);
    expect(sizes('const a = () => {\n return () => {\n\n} }')).toHaveLength(2);
  });

  it('lets an exception stand as it is, and only go down', () => {
    const text = '1;\n2;\n3;\n4;\n5;\n';
    expect(sizes(text, { 'src/lib/a.ts': 5 })).toEqual([]);
    expect(sizes(text, { 'src/lib/a.ts': 6 })).toEqual([expect.stringContaining('lower its exception')]);
    expect(sizes('1;', { 'src/lib/a.ts': 5 })).toEqual([expect.stringContaining('remove its exception')]);
  });

  it('asks for a page that names each protocol id and topic', () => {
    expect(protocols(`const id = '/bidmesh/contract/1';`, 'nothing')).toHaveLength(1);
    expect(protocols(`const id = '/bidmesh/contract/1';`, 'over `/bidmesh/contract/1` it')).toEqual([]);
    expect(protocols('const id = (n) => `/${n}/contract/1`;', 'over `/<network>/contract/2`')).toHaveLength(
      1,
    );
    expect(protocols('const id = (n) => `/${n}/contract/1`;', 'over `/<network>/contract/1`')).toEqual([]);
    expect(protocols(`const id = protocolName(network, 'serving');`, 'contract')).toHaveLength(1);
    expect(protocols(`const TOPIC = 'bids';`, 'adverts', 'the bids topic')).toEqual([]);
    expect(protocols(`import { a } from './protocols/a.ts'; const text = 'plain';`)).toEqual([]);
  });
});
