import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNodeProcess } from '../../src/launcher/node-process.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { JobCommit } from '../../src/orchestrator/ports.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { defaultStoreLimits } from '../../src/store/options.ts';
import recorded from '../fixtures/recorded-0.1.0/expected.json' with { type: 'json' };
import { type Bench, percentile, round } from './figure.ts';
import { benchName, residentBytes } from './nodes.ts';

/** As many as a node keeps. */
const JOBS = 10_000;
const AT_ONCE = 500;
const SETTLE_MS = 5000;

/** What a node holds of the jobs that it keeps: its memory and its start with 10 000 of them, beside one with none. */
export const finishedJobs: Bench = {
  name: 'finished-jobs',
  about: 'memory and time to ready of a node that keeps 10 000 finished jobs, beside one that has none',
  async run({ iterations = 3, report, note }) {
    const root = await mkdtemp(join(tmpdir(), 'bidmesh-bench-'));
    try {
      const [full, empty] = [join(root, 'full'), join(root, 'empty')];
      for (const folder of [full, empty]) await prepare(folder);
      note(`writing ${JOBS} jobs`);
      await fill(join(full, 'store'));
      const figures = { full: [] as NodeFigures[], empty: [] as NodeFigures[] };
      for (let index = 0; index < iterations; index += 1) {
        figures.empty.push(await measure(empty));
        figures.full.push(await measure(full));
      }
      for (const [metric, unit, pick] of [
        ['idle_rss', 'MB', ({ rssMb }: NodeFigures) => rssMb],
        ['time_to_ready', 'ms', ({ readyMs }: NodeFigures) => readyMs],
      ] as const) {
        const value = round(percentile(figures.full.map(pick), 0.5), 1);
        const floor = round(percentile(figures.empty.map(pick), 0.5), 1);
        report({ bench: 'finished-jobs', metric, value, unit, floor, ratio: round(value / floor) });
      }
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};

interface NodeFigures {
  readonly rssMb: number;
  readonly readyMs: number;
}

const RECORDED = fileURLToPath(new URL('../fixtures/recorded-0.1.0/requester', import.meta.url));

async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  await cp(join(RECORDED, 'identity.json'), join(folder, 'identity.json'));
  await chmod(join(folder, 'identity.json'), 0o600);
}

/** Copies of one job that really ran, with its execution, search, contract and events. */
async function fill(folder: string): Promise<void> {
  const sample = await sampleJob();
  const store = await openStoreAt(folder);
  try {
    for (let first = 0; first < JOBS; first += AT_ONCE) {
      const copies = Array.from({ length: AT_ONCE }, (_, index) => copyOf(sample, first + index));
      await Promise.all(copies.map((copy) => store.jobs.commit(copy)));
    }
  } finally {
    await store.stop();
  }
}

function openStoreAt(folder: string): Promise<Store> {
  return openStore(
    { folder, contentFolder: folder, limits: defaultStoreLimits },
    { clock: systemClock, logger: silentLogger },
  );
}

async function sampleJob(): Promise<JobCommit> {
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-bench-'));
  await cp(join(RECORDED, 'store'), folder, { recursive: true });
  const store = await openStoreAt(folder);
  try {
    const { id } = recorded.jobs.completed;
    const snapshot = await store.jobs.snapshot(id);
    if (snapshot === undefined) throw new Error('the recorded job is not there');
    const { job, executions, search } = snapshot;
    const contracts = await store.jobs.contractsOf(id);
    const events = await store.jobs.events(id, 0, 100);
    return {
      jobId: id,
      revision: 0,
      job,
      executions,
      contracts,
      events,
      ...(search === undefined ? {} : { search }),
    };
  } finally {
    await store.stop();
    await rm(folder, { recursive: true });
  }
}

function copyOf(sample: JobCommit, index: number): JobCommit {
  const jobId = `${sample.jobId}-${index}`;
  const { job, executions = [], contracts = [], search } = sample;
  if (job === undefined) throw new Error('there is no job to copy');
  const nowMs = systemClock.nowMs();
  return {
    ...sample,
    jobId,
    job: { ...job, id: jobId, createdAt: nowMs, finishedAt: nowMs },
    executions: executions.map((execution) => ({ ...execution, jobId })),
    contracts: contracts.map((contract) => ({
      ...contract,
      jobId,
      contractId: `${contract.contractId}${index}`,
    })),
    ...(search === undefined ? {} : { search: { ...search, jobId } }),
  };
}

async function measure(dataDir: string): Promise<NodeFigures> {
  const mainPath = fileURLToPath(new URL('../../src/bidmesh.js', import.meta.url));
  const args = ['--data-dir', dataDir, '--network', benchName(), '--no-mdns', '--api', '127.0.0.1:0'];
  const node = await startNodeProcess(
    {
      nodePath: process.execPath,
      mainPath,
      args: [...args, '--listen', '/ip4/127.0.0.1/tcp/0'],
      env: process.env,
      readyTimeoutMs: 30_000,
    },
    systemClock,
  );
  try {
    await wait(SETTLE_MS);
    return { readyMs: node.readyAfterMs, rssMb: (await residentBytes(node.pid)) / 1e6 };
  } finally {
    await node.stop();
  }
}
