import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { LocalNode } from '../../src/launcher/local-network.ts';
import { noopModule } from '../fixtures/wasm-modules.ts';
import type { Bench } from './figure.ts';
import { reportCpu, reportFlood, reportMemory, withCpu } from './flood-report.ts';
import type { FloodOrder, FloodReport } from './flooder.ts';
import type { HonestOrder, HonestReport } from './honest-requester.ts';
import { benchClient, benchName, benchNetwork, residentBytes } from './nodes.ts';

const DEFAULT_SECONDS = 12;
const WARM_UP_SECONDS = 3;
/** In which the memory of the provider comes to the size that a flood gives it; later growth would go on. */
const FLOODED_BEFORE_SECONDS = 25;
/** In which rates that were used up come back. */
const REST_MS = 5000;
const SETTLE_MS = 2000;
const MOST_HONEST_PEERS = 3;
const LONGEST_NOTICE_SECONDS = 90;
const FLOODS = [1, 200] as const;

/**
 * A provider process, an honest requester that has had one job done there and asks for bids 20 times a second, and a
 * flooder that asks 1 000 times a second, takes every bid and never goes on. Each flood stands between two phases
 * without one; the floor is what the honest requester waits in those. The first second of a flood, in which the
 * provider finds out, is told apart from the rest of it.
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
      const { pid } = provider.process;
      // The end of many connections is work too, of which a phase that follows knows nothing.
      const isAlone = (): Promise<void> => untilPeersAreFew(provider);
      const flooderOf = async (identities: number): Promise<ChildProcess> => {
        const flooder = await child('flooder.ts', address, String(identities));
        // A flood comes from other machines: it must not take the processors of this one from those that are measured.
        if (flooder.pid !== undefined) setPriority(flooder.pid, constants.priority.PRIORITY_LOW);
        return flooder;
      };
      await measure(honest, WARM_UP_SECONDS);
      let before = await withCpu(pid, () => measure(honest, seconds));
      for (const identities of FLOODS) {
        context.note(`flooding from ${identities} …`);
        const warmUp = await flooderOf(identities);
        await measureInFlood(honest, warmUp, FLOODED_BEFORE_SECONDS);
        await end(warmUp);
        await isAlone();
        const flooder = await flooderOf(identities);
        await wait(REST_MS);
        const residentBefore = await residentBytes(pid);
        const during = await withCpu(pid, () => measureInFlood(honest, flooder, seconds));
        const residentAfter = await residentBytes(pid);
        await end(flooder);
        await isAlone();
        await wait(SETTLE_MS);
        const after = await withCpu(pid, () => measure(honest, seconds));
        const [report, flooded] = during.result;
        reportFlood(context, identities, { quiet: [before.result, after.result], during: report, flooded });
        reportCpu(context, identities, { quiet: [before.cpuShare, after.cpuShare], during: during.cpuShare });
        reportMemory(context, identities, residentBefore, residentAfter);
        before = after;
      }
    } finally {
      await Promise.all(children.map(end));
      await nodes.stop();
    }
  },
};

/** A provider may notice the end of a flooder late: of connections that it does not read only as it writes to them. */
async function untilPeersAreFew({ process: { api } }: LocalNode): Promise<void> {
  for (let second = 0; second < LONGEST_NOTICE_SECONDS; second += 1) {
    const { peers } = await benchClient(api).getStatus();
    if (peers <= MOST_HONEST_PEERS) return;
    await wait(1000);
  }
  throw new Error('the provider has not noticed that the flooder is gone');
}

/** From here on the provider knows the requester for a contract that it kept. */
async function haveOneJobDone({ process: { api } }: LocalNode): Promise<void> {
  const client = benchClient(api);
  const { cid } = await client.uploadBlob(noopModule());
  const job = {
    engine: { type: 'wasm', params: { module: { cid } } },
    resources: { cpu: '100m', memory: '64MiB', disk: '1MiB' },
  };
  const { id } = await client.postJob(job);
  for await (const { type } of client.jobEvents(id)) {
    if (type === 'job.failed') throw new Error('the job of the honest requester failed');
    if (type === 'job.completed') break;
  }
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
