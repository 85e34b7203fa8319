import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bareEnvironment, output, run } from './commands.ts';

/** An empty folder with the package in it. */
export interface Installed {
  readonly folder: string;
  /** What `bidmesh` is there. */
  readonly bidmesh: string;
  /** The Node.js that a shell finds: it may be too old for a node. */
  readonly bareNode: string;
  /** One that is not. */
  readonly newNode: string;
}

const LONGEST_STOP_MS = 20_000;

/** Ten lines as somebody would write them; the comments say what the compiler has to refuse. */
const CONSUMER = `
import { CodedError, type NodeSettings, type RunningNode, startNode } from 'bidmesh';
import { BidmeshClient, type Job, type JobInput, ProblemError } from 'bidmesh/client';
const settings: NodeSettings = { network: 'lab', provider: { onboard: { cpu: '50%' } }, limits: { maxJobs: 10 } };
const node: RunningNode = await startNode(settings, { onFatal: (error: CodedError) => console.log(error.code) });
const client = new BidmeshClient({ url: node.apiUrl });
const input: JobInput = { name: 'typed', engine: { type: 'python', params: { script: { text: 'pass' } } } };
const job: Job = await client.getJob((await client.postJob(input)).id);
const addresses: readonly string[] = node.multiaddrs();
// @ts-expect-error there is no such setting
await startNode({ netwrok: 'lab' });
// @ts-expect-error a number is no peer id
const id: number = node.peerId;
// @ts-expect-error there is no such state
if (job.state === 'Finnished') throw new ProblemError();
console.log(addresses, id);
await node.stop();
`;

/** Runs a job on the node that its first argument names. */
const CLIENT = `
import { BidmeshClient } from 'bidmesh/client';
const client = new BidmeshClient({ url: process.argv[2] });
const script = { text: 'print("by a client")' };
const { id } = await client.postJob({ name: 'client', engine: { type: 'python', params: { script } } });
for await (const event of client.jobLogs(id, { follow: true })) {
  if (event.type === 'output') process.stdout.write(event.bytes);
  if (event.type === 'end') process.exit(event.exitCode);
}
`;

export async function tellsItsVersion({ folder, bidmesh }: Installed, version: string): Promise<string> {
  assert.equal((await output(bidmesh, ['--version'], { cwd: folder })).trim(), version);
  return version;
}

export async function runsTheDemo({ folder, bidmesh }: Installed): Promise<string> {
  const { state, stdout } = JSON.parse(await output(bidmesh, ['demo', '--json'], { cwd: folder }));
  assert.equal(state, 'Completed');
  assert.match(stdout, /Ghent/);
  return state;
}

/** A node as `npx` starts it, in a group of its own. */
async function startNode(installed: Installed) {
  const args = ['start', '--json', '--data-dir', 'data', '--api', '127.0.0.1:0', '--no-mdns'];
  const node = spawn(installed.bidmesh, args, {
    cwd: installed.folder,
    env: { ...bareEnvironment, BIDMESH__LOG__LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(node, 'exit');
  const closed = once(node, 'close');
  const [line] = await Promise.race([
    once(createInterface({ input: node.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`bidmesh start ended with ${String(code)}`))),
  ]);
  const { api, peerId } = JSON.parse(String(line));
  return { pid: node.pid ?? 0, api, peerId, exited, closed };
}

/** Asks a node something, has a program of somebody else run a job on it, and ends it as a terminal does: the signal goes to all that runs in it. */
export async function startsANode(installed: Installed): Promise<string> {
  const { pid, api, peerId, exited } = await startNode(installed);
  const { bidmesh, bareNode, folder } = installed;
  assert.ok((await output(bidmesh, ['--api', api, 'status'], { cwd: folder })).includes(peerId));
  await writeFile(join(folder, 'client.mjs'), CLIENT);
  assert.equal(await output(bareNode, ['client.mjs', api], { cwd: folder }), 'by a client\n');
  process.kill(-pid, 'SIGINT');
  const [code, signal] = await exited;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return peerId;
}

/** An older Node.js stands in front of the node, and is killed. Its output ends when nobody has it open any more. */
export async function endsWithItsParent(installed: Installed): Promise<string> {
  const { pid, closed } = await startNode(installed);
  process.kill(pid, 'SIGKILL');
  const isOver = await Promise.race([closed, wait(LONGEST_STOP_MS, false, { ref: false })]);
  if (isOver === false) process.kill(-pid, 'SIGKILL');
  assert.notEqual(isOver, false, 'the node goes on');
  return 'ended';
}

/** Nothing that the client imports is of Node.js. */
export async function isForBrowsers({ folder }: Installed): Promise<string> {
  const input = join(folder, 'node_modules', 'bidmesh', 'dist', 'client', 'index.js');
  const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
  const { output: chunks } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const outside = chunks.flatMap((chunk) =>
    'imports' in chunk ? [...chunk.imports, ...chunk.dynamicImports] : [],
  );
  assert.deepEqual(outside, []);
  return `${Math.round(chunks[0].code.length / 1024)} KiB with all that it imports`;
}

export async function isStartedByAProgram({ folder, newNode }: Installed): Promise<string> {
  const sample = join(folder, 'node_modules', 'bidmesh', 'config', 'embed.mjs');
  const text = await output(newNode, [sample], { cwd: folder });
  assert.match(text, /^5050\nexit code 0$/m);
  return '5050';
}

export async function refusesAnOldNode({ folder, bareNode }: Installed): Promise<string> {
  const script = "await (await import('bidmesh')).startNode().catch((error) => console.log(error.code))";
  const said = await output(bareNode, ['--input-type=module', '-e', script], { cwd: folder });
  assert.equal(said.trim(), 'NODE_TOO_OLD');
  return 'NODE_TOO_OLD';
}

/** Where npm was told to leave optional packages out. */
export async function saysWhatItNeeds({ folder, bidmesh, newNode }: Installed): Promise<string> {
  const brought = join(newNode, '..', '..');
  await rename(brought, `${brought}-away`);
  try {
    const { code, stderr } = await run(bidmesh, ['--version'], { cwd: folder });
    assert.equal(code, 1);
    assert.match(stderr, /^Bidmesh needs Node\.js [^\n]*\n$/);
    return stderr.trim();
  } finally {
    await rename(`${brought}-away`, brought);
  }
}

export async function hasTypes({ folder, newNode }: Installed): Promise<string> {
  await writeFile(join(folder, 'consumer.mts'), CONSUMER);
  const compiler = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', ''];
  return `tsc ${await output(newNode, [compiler, ...flags, 'consumer.mts'], { cwd: folder })}`.trim();
}
