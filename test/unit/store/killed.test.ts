import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createContentStore } from '../../../src/content/index.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { readBack, ScriptedTransport } from '../content/content-fixtures.ts';

const POSTING = fileURLToPath(new URL('./posting-process.ts', import.meta.url));

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killed-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** What a process acknowledged before it was killed in the middle of its work, right behind so many acknowledgements. */
async function killedAfter(acknowledged: number): Promise<string[]> {
  const child = spawn(process.execPath, [POSTING, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === acknowledged) child.kill('SIGKILL');
  }
  return lines.filter((line) => line.split(' ').length === 3);
}

it('a node that is killed has every job that it acknowledged, with its content, and nothing half', async () => {
  const acknowledged: string[] = [];
  for (const count of [1, 7, 30]) acknowledged.push(...(await killedAfter(count)));
  expect(acknowledged.length).toBeGreaterThanOrEqual(38);
  const options = { folder: join(folder, 'store'), contentFolder: join(folder, 'content') };
  const clock = new FakeClock();
  const store = await openStore({ ...options, limits: defaultStoreLimits }, { clock, logger: silentLogger });
  const content = createContentStore(
    { limits: {} },
    {
      records: store.content,
      files: store.blocks,
      transport: new ScriptedTransport(),
      clock,
      logger: silentLogger,
    },
  );
  await content.start();
  try {
    for (const line of acknowledged) {
      const [id = '', small = '', large = ''] = line.split(' ');
      expect((await store.jobs.snapshot(id))?.job.id).toBe(id);
      expect([...store.content.pinsOf(id)].sort()).toEqual([small, large].sort());
      expect(new TextDecoder().decode(await readBack(content, small))).toBe(id);
      expect((await readBack(content, large)).length).toBe(100_000);
    }
    const open = new Set(await store.jobs.openJobs());
    const objects = [...store.content.objects()];
    for (const { cid } of objects) expect(store.content.isPinned(cid)).toBe(true);
    for (const id of open) expect(store.content.pinsOf(id).size).toBe(2);
    const files = (await readdir(join(folder, 'content', 'blocks'), { recursive: true })).filter((name) =>
      name.endsWith('.data'),
    );
    const large = objects.filter(({ inline }) => inline.length === 0);
    expect(files.length).toBe(large.length);
  } finally {
    await content.stop();
    await store.stop();
  }
}, 30_000);
