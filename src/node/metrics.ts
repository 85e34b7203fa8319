import type { Registry as MetricsRegistry } from 'prom-client';
import type { MetricsView } from '../api/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { ConnectionCounts } from '../network/underlay.ts';
import type { SchedulingStats } from '../orchestrator/index.ts';
import type { Provider } from '../provider/index.ts';
import type { TaskLoad } from '../provider/task-driver.ts';
import type { CensusCounts } from '../store/census.ts';

/** What is counted elsewhere; each is asked when somebody reads the metrics. */
export interface MetricsNeeds {
  readonly peers: () => number;
  readonly heldBack: () => number;
  readonly connections: () => ConnectionCounts;
  readonly provider: Pick<Provider, 'leases' | 'tasks' | 'describe'> | undefined;
  readonly census: () => CensusCounts;
  readonly scheduling: () => SchedulingStats;
  readonly content: Pick<ContentStore, 'room'>;
  readonly counters: () => Readonly<Record<string, number>>;
}

/** The text format of Prometheus. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Built when somebody asks for them: most nodes are never scraped. */
export function createMetrics(needs: MetricsNeeds): MetricsView {
  let built: Promise<MetricsRegistry> | undefined;
  let asked: Promise<string> | undefined;
  return {
    contentType: METRICS_TYPE,
    metrics: () => {
      built ??= buildMetrics(needs);
      // Whoever asks while they are read gets the same: they cost a millisecond or two.
      asked ??= built
        .then((registry) => registry.metrics())
        .finally(() => {
          asked = undefined;
        });
      return asked;
    },
  };
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric: what it is called, what it says, and where its samples come from. */
interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>;
}

async function buildMetrics(needs: MetricsNeeds): Promise<MetricsRegistry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  for (const { kind, name, help, labels, read } of [
    ...marketMetrics(needs),
    ...taskMetrics(needs),
    ...schedulingMetrics(needs),
    ...nodeMetrics(needs),
  ]) {
    const settings = { name, help, labelNames: labels, registers: [registry] };
    if (kind === 'gauge') {
      const gauge: InstanceType<typeof Gauge> = new Gauge({
        ...settings,
        async collect() {
          const samples = await read();
          gauge.reset();
          for (const sample of samples) gauge.set(sample.labels, sample.value);
        },
      });
    } else {
      const counter: InstanceType<typeof Counter> = new Counter({
        ...settings,
        async collect() {
          const samples = await read();
          counter.reset();
          for (const sample of samples) counter.inc(sample.labels, sample.value);
        },
      });
    }
  }
  // The process and its runtime: memory, processor time, delay of the event loop, collections of garbage.
  collectDefaultMetrics({ register: registry });
  return registry;
}

const JOB_STATES = ['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped'] as const;

/** A state that nothing is in is 0 and not absent, so that an alert on it can be written. */
function marketMetrics({ provider, census }: MetricsNeeds): readonly Metric[] {
  return [
    {
      kind: 'gauge',
      name: 'bidmesh_jobs',
      help: 'Jobs of this node that are stored, by state.',
      labels: ['state'],
      read: () => {
        const { jobs } = census();
        return JOB_STATES.map((state) => ({ labels: { state }, value: jobs[state] ?? 0 }));
      },
    },
    {
      kind: 'counter',
      name: 'bidmesh_executions_ended_total',
      help: 'Executions under contract that ended since the start, by how, as their requester or provider.',
      labels: ['role', 'reason'],
      read: () => byRole(census(), 'executions', 'reason'),
    },
    {
      kind: 'counter',
      name: 'bidmesh_contracts_total',
      help: 'Contracts that came into a state since the start, as requester or provider.',
      labels: ['role', 'state'],
      read: () => byRole(census(), 'contracts', 'state'),
    },
    {
      kind: 'gauge',
      name: 'bidmesh_leases',
      help: 'Leases that take capacity now, by state.',
      labels: ['state'],
      read: () => {
        const leases = provider?.leases() ?? [];
        return (['held', 'committed'] as const).map((state) => ({
          labels: { state },
          value: leases.filter((lease) => lease.state === state).length,
        }));
      },
    },
  ];
}

const TASK_METRICS: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (load: TaskLoad) => number;
}[] = [
  { name: 'bidmesh_tasks', help: 'Tasks that run here now, by engine.', of: () => 1 },
  {
    name: 'bidmesh_tasks_memory_bytes',
    help: 'Memory of the tasks that run here now, with that of their runtimes, by engine.',
    of: ({ memoryBytes }) => memoryBytes,
  },
  {
    name: 'bidmesh_tasks_cpu_seconds',
    help: 'Processor time of the tasks that run here now, since each began, by engine.',
    of: ({ cpuMs }) => cpuMs / 1000,
  },
];

function taskMetrics({ provider }: MetricsNeeds): readonly Metric[] {
  return TASK_METRICS.map(({ name, help, of }) => ({
    kind: 'gauge',
    name,
    help,
    labels: ['engine'],
    read: async () => {
      const loads = (await provider?.tasks()) ?? [];
      return Object.keys(provider?.describe()?.traits.engines ?? {}).map((engine) => ({
        labels: { engine },
        value: loads.reduce((sum, load) => (load.engine === engine ? sum + of(load) : sum), 0),
      }));
    },
  }));
}

function byRole(counts: CensusCounts, what: 'executions' | 'contracts', label: string): readonly Sample[] {
  return (['requester', 'provider'] as const).flatMap((role) =>
    Object.entries(counts[role][what]).map(([kind, value]) => ({ labels: { role, [label]: kind }, value })),
  );
}

function schedulingMetrics({ scheduling }: MetricsNeeds): readonly Metric[] {
  return [
    {
      kind: 'gauge',
      name: 'bidmesh_evaluations',
      help: 'Requests to look at a job that are held now, by job type and state.',
      labels: ['type', 'state'],
      read: () =>
        Object.entries(scheduling().broker.byType).flatMap(([type, counts]) =>
          Object.entries(counts).map(([state, value]) => ({ labels: { type, state }, value })),
        ),
    },
    {
      kind: 'counter',
      name: 'bidmesh_evaluation_ends_total',
      help: 'Deliveries of evaluations that ended, and evaluations that were superseded or given up, since the start.',
      labels: ['end'],
      read: () => {
        const { acked, nacked, timedOut, deadLettered, superseded } = scheduling().broker.counters;
        const ends = {
          acked,
          nacked,
          'timed-out': timedOut,
          'dead-lettered': deadLettered,
          superseded,
        };
        return Object.entries(ends).map(([end, value]) => ({ labels: { end }, value }));
      },
    },
    {
      kind: 'gauge',
      name: 'bidmesh_scheduler_idle',
      help: 'Hands of the scheduler that wait for work now.',
      labels: [],
      read: () => [{ labels: {}, value: scheduling().broker.waitingDequeuers }],
    },
    {
      kind: 'counter',
      name: 'bidmesh_scheduler_runs_total',
      help: 'What the scheduler did since the start: planned a job, failed to, or could not take work.',
      labels: ['result'],
      read: () => {
        const { processed, failures, brokerErrors } = scheduling().worker;
        const results = { planned: processed, failed: failures, 'took-nothing': brokerErrors };
        return Object.entries(results).map(([result, value]) => ({ labels: { result }, value }));
      },
    },
  ];
}

function nodeMetrics({ peers, heldBack, connections, content, counters }: MetricsNeeds): readonly Metric[] {
  return [
    {
      kind: 'gauge',
      name: 'bidmesh_peers',
      help: 'Connected peers.',
      labels: [],
      read: () => [{ labels: {}, value: peers() }],
    },
    {
      kind: 'gauge',
      name: 'bidmesh_peers_held_back',
      help: 'Peers that cost this node more than they may, within the last minute (64 at most).',
      labels: [],
      read: () => [{ labels: {}, value: heldBack() }],
    },
    {
      kind: 'gauge',
      name: 'bidmesh_connections',
      help: 'Open connections, by who opened them.',
      labels: ['direction'],
      read: () => {
        const { inbound, outbound } = connections();
        return [
          { labels: { direction: 'inbound' }, value: inbound },
          { labels: { direction: 'outbound' }, value: outbound },
        ];
      },
    },
    {
      kind: 'counter',
      name: 'bidmesh_connections_refused_total',
      help: 'Connections that were refused before their handshake since the start.',
      labels: [],
      read: () => [{ labels: {}, value: connections().refused }],
    },
    {
      kind: 'gauge',
      name: 'bidmesh_content_bytes',
      help: 'Bytes of programs, inputs and results: kept now, and at most (limits.contentQuotaBytes).',
      labels: ['kind'],
      read: () => {
        const { freeBytes, quotaBytes } = content.room();
        return [
          { labels: { kind: 'used' }, value: quotaBytes - freeBytes },
          { labels: { kind: 'quota' }, value: quotaBytes },
        ];
      },
    },
    {
      kind: 'counter',
      name: 'bidmesh_network_events_total',
      help: 'What the protocols saw, by name; refused messages are named by their code.',
      labels: ['event'],
      read: () => Object.entries(counters()).map(([event, value]) => ({ labels: { event }, value })),
    },
  ];
}
