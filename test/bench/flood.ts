import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { LocalNode } from '../../src/launcher/local-network.ts';
import { noopModule } from '../fixtures/wasm-modules.ts';
import { type Bench, type BenchContext, percentile, round } from './figure.ts';
import type { FloodOrder, FloodReport } from './flooder.ts';
import type { HonestOrder, HonestReport } from './honest-requester.ts';
import { benchName, benchNetwork, followEvents, postJob, residentBytes, uploadBlob } from './nodes.ts';

const DEFAULT_SECONDS = 12;
const WARM_UP_SECONDS = 3;
/** In which rates that were used up come back. */
const REST_MS = 5000;
const SETTLE_MS = 2000;
const FLOODS = [1, 200] as const;

/**
 * A provider process, an honest requester that has had one job done there and asks for bids 20 times a second, and a
 * flooder that asks 1 000 times a second, takes every bid and never goes on. Each flood stands between two phases
 * without one; the floor is what the honest requester waits in those.
 */
export const flood: Bench = {
  name: 'flood',
  about: 'how long honest requests wait for a bid while others flood the provider, and its memory',
  async run(context) {
    const seconds = context.iterations ?? DEFAULT_SECONDS;
    const name = benchName();
    const nodes = benchNetwork(name);
    const children: ChildProcess[] = [];
    const child = (file: string, ...args: string[]): Promise<ChildProcess> =>
      startChild(children, file, [name, ...args]);
    try {
      const provider = await nodes.start('provider');
      const address = provider.process.multiaddrs[0] ?? '';
      const requester = await nodes.start('requester', { BIDMESH__PROVIDER__ENABLED: 'false' });
      await haveOneJobDone(requester);
      await requester.process.stop();
      const honest = await child('honest-requester.ts', address, requester.dataDir);
      await measure(honest, WARM_UP_SECONDS);
      let before = await measure(honest, seconds);
      for (const identities of FLOODS) {
        context.note(`flooding from ${identities} …`);
        const warmUp = await child('flooder.ts', address, String(identities));
        await measureInFlood(honest, warmUp, WARM_UP_SECONDS);
        await end(warmUp);
        const flooder = await child('flooder.ts', address, String(identities));
        await wait(REST_MS);
        const residentBefore = await residentBytes(provider.process.pid);
        const [during, report] = await measureInFlood(honest, flooder, seconds);
        const residentAfter = await residentBytes(provider.process.pid);
        await end(flooder);
        await wait(SETTLE_MS);
        const after = await measure(honest, seconds);
        reportFlood(context, identities, { before, during, after, report });
        reportMemory(context, identities, residentBefore, residentAfter);
        before = after;
      }
    } finally {
      await Promise.all(children.map(end));
      await nodes.stop();
    }
  },
};

/** From here on the provider knows the requester for a contract that it kept. */
async function haveOneJobDone({ process: { api } }: LocalNode): Promise<void> {
  const cid = await uploadBlob(api, noopModule());
  const job = {
    engine: { type: 'wasm', params: { module: { cid } } },
    resources: { cpu: '100m', memory: '64MiB', disk: '1MiB' },
  };
  await followEvents(api, await postJob(api, job), (type) => {
    if (type === 'job.failed') throw new Error('the job of the honest requester failed');
    return type === 'job.completed';
  });
  // The provider hears of it with its next serving list.
  await wait(SETTLE_MS);
}

async function startChild(children: ChildProcess[], file: string, args: string[]): Promise<ChildProcess> {
  const child = fork(new URL(`./${file}`, import.meta.url), args);
  children.push(child);
  await message(child);
  return child;
}

async function message<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  const exited = once(child, 'exit', { signal }).then(() => {
    throw new Error('a process of the flood benchmark ended early');
  });
  exited.catch(() => {});
  try {
    const [said] = await Promise.race([once(child, 'message', { signal }), exited]);
    return said;
  } finally {
    settled.abort();
  }
}

async function measure(honest: ChildProcess, seconds: number): Promise<HonestReport> {
  honest.send({ seconds } satisfies HonestOrder);
  return await message(honest);
}

/** The honest requests begin when the flood does. */
async function measureInFlood(
  honest: ChildProcess,
  flooder: ChildProcess,
  seconds: number,
): Promise<readonly [HonestReport, FloodReport]> {
  flooder.send({ seconds } satisfies FloodOrder);
  await message(flooder);
  return await Promise.all([measure(honest, seconds), message<FloodReport>(flooder)]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

interface Phases {
  readonly before: HonestReport;
  readonly during: HonestReport;
  readonly after: HonestReport;
  readonly report: FloodReport;
}

function reportFlood({ report }: BenchContext, identities: number, phases: Phases): void {
  const { before, during, after } = phases;
  const quiet = [...before.tookMs, ...after.tookMs];
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const value = percentile(during.tookMs, share);
    const floor = percentile(quiet, share);
    report({
      bench: 'flood',
      metric: `honest_${name}`,
      value: round(value),
      unit: 'ms',
      floor: round(floor),
      ratio: round(value / floor),
      identities,
    });
  }
  report({
    bench: 'flood',
    metric: 'honest_p99_ratio',
    value: round(percentile(during.tookMs, 0.99) / percentile(quiet, 0.99)),
    unit: '',
    identities,
    answeredShare: round(during.answered / during.tookMs.length, 4),
    requests: during.tookMs.length,
    floodRequests: phases.report.sent,
    floodBids: phases.report.bids,
  });
}

function reportMemory({ report }: BenchContext, identities: number, before: number, after: number): void {
  report({
    bench: 'flood',
    metric: 'provider_rss',
    value: round(after / 1e6, 1),
    unit: 'MB',
    floor: round(before / 1e6, 1),
    ratio: round(after / before),
    identities,
  });
}
