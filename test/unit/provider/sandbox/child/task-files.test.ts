import { expect, it } from 'vitest';
import { FileTree } from '../../../../../src/provider/sandbox/child/file-tree.ts';
import { OutputQuota } from '../../../../../src/provider/sandbox/child/output-quota.ts';
import { PageStore } from '../../../../../src/provider/sandbox/child/page-store.ts';
import type { SandboxTask } from '../../../../../src/provider/sandbox/child/sandbox-task.ts';
import { placeTask } from '../../../../../src/provider/sandbox/child/task-files.ts';

const TASK: SandboxTask = {
  modulePath: '/nowhere',
  args: [],
  env: [],
  stdin: '',
  inputs: [],
  outputs: [],
  memoryBytes: 1,
  outputBytes: 1000,
  outputFiles: 10,
  seed: '',
};

it.each([
  [['/out/a', '/out']],
  [['/out', '/out/a']],
  [['/tmp/a/b']],
  [['/tmp/a', '/tmp']],
  [['/a/b/c', '/a/b', '/a']],
])('programs can write to each of the outputs %j, and to /tmp', (paths) => {
  const quota = new OutputQuota(TASK, ({ exitReason }) => {
    throw new Error(exitReason);
  });
  const tree = new FileTree(new PageStore(1000, -1), quota, () => 1n);
  const outputs = paths.map((path, index) => ({ name: `o${index}`, path }));
  const folders = placeTask(tree, { ...TASK, outputs });
  expect(folders.map(({ name }) => name)).toEqual(outputs.map(({ name }) => name));
  for (const path of new Set([...paths, '/tmp'])) {
    const file = tree.open(tree.root, `${path.slice(1)}/file`, { create: true, exclusive: true });
    expect(file).toMatchObject({ kind: 'file', writable: true });
  }
});
