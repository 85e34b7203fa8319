import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAttemptFolders } from '../../../../src/provider/executions/attempt-folders.ts';
import type { AttemptFolder } from '../../../../src/provider/ports.ts';

const GOES_ON = 'job.v1.p0r0.a1';
const LOST = 'job.v1.p1r0.a1';
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bidmesh-folders-'));
});

afterEach(() => rm(root, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function printedIn(folder: AttemptFolder): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of folder.read('stdout', 0, false, new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

it('what a task prints in a later life of its node is added to what it had printed', async () => {
  await (await createAttemptFolders(root).create(GOES_ON)).append('stdout', bytes('one '));
  const folder = await createAttemptFolders(root).reopen(GOES_ON);
  await folder.append('stdout', bytes('two'));
  expect(await printedIn(folder)).toBe('one two');
  await folder.end();
});

it('at the start the folders of all are swept but of those that go on', async () => {
  const folders = createAttemptFolders(root);
  for (const executionId of [GOES_ON, LOST, 'odd/name']) await (await folders.create(executionId)).end();
  await mkdir(join(root, 'lost+found'));
  await folders.sweep(new Set([GOES_ON, 'odd/name']));
  expect((await readdir(root)).toSorted()).toEqual([GOES_ON, 'lost+found', 'odd%2Fname']);
  await folders.sweep(new Set());
  expect(await readdir(root)).toEqual(['lost+found']);
});
