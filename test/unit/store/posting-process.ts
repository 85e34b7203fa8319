import { join } from 'node:path';
import { createContentStore } from '../../../src/content/index.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import * as make from './market-records.ts';

/** Stores jobs with content until it is killed, and prints each that is acknowledged: job, small and large content. */
const folder = process.argv[2] ?? '';
const LARGE_BYTES = 100_000;

const options = {
  folder: join(folder, 'store'),
  contentFolder: join(folder, 'content'),
  limits: defaultStoreLimits,
};
const store = await openStore(options, { clock: systemClock, logger: silentLogger });
const content = createContentStore(
  { limits: {} },
  {
    records: store.content,
    files: store.blocks,
    transport: { blocks: () => (async function* () {})() },
    clock: store.clock,
    logger: silentLogger,
  },
);
await content.start();

async function post(id: string): Promise<void> {
  const draft = content.draft();
  const small = await draft.put(new TextEncoder().encode(id));
  const large = await draft.put(new Uint8Array(LARGE_BYTES).fill(Number(id.slice(4)) % 251));
  await store.jobs.commit({ ...make.created(id), content: draft.changes(id) });
  await draft.end();
  process.stdout.write(`${id} ${small.cid} ${large.cid}\n`);
}

let posted = 0;
const loop = async (): Promise<never> => {
  for (;;) await post(`job-${process.pid * 1000 + (posted += 1)}`);
};
await Promise.all(Array.from({ length: 8 }, loop));
