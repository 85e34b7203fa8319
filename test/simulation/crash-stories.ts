import type { JobEvent, JobEventType } from '../../src/domain/job/job-event.ts';
import type { JobState } from '../../src/domain/job/job.ts';
import type { ExitReason } from '../../src/domain/program/task.ts';
import type { SimulatedNetworkOptions } from './simulated-network.ts';
import type { Machine, World } from './world.ts';

export interface Stage {
  readonly world: World;
  readonly requester: Machine;
  readonly providers: readonly Machine[];
  readonly jobId: string;
}

/** What happens to the world as an event of the job becomes durable, once. */
export interface Incident {
  readonly at: JobEventType;
  /** The execution that the event tells of cannot end well any more. */
  readonly dooms?: boolean;
  readonly happen: (stage: Stage, event: JobEvent) => void;
}

/** How one job goes, up to its end. */
export interface Story {
  readonly providers?: number;
  readonly lockOnBid?: boolean;
  readonly network?: Partial<SimulatedNetworkOptions>;
  readonly job?: Readonly<Record<string, unknown>>;
  /** Before the job is posted. */
  readonly before?: (world: World) => Promise<void>;
  readonly incidents?: readonly Incident[];
  /** How the first, second, … execution to run ends. */
  readonly exitReason?: (run: number) => ExitReason;
  readonly cancelled?: boolean;
  /** Also with a long time down, with several crashes, and between two events. */
  readonly thorough?: boolean;
  readonly end: JobState;
  /** Executions whose work is done to its end, however often the requester crashes; doomed ones are not counted. */
  readonly runs: number;
}

const PATIENT = { timeouts: { queue: '10m', total: '1h' } };
/** More than half of a provider. */
const LARGE = { ...PATIENT, resources: { cpu: '3' } };
const RETRIED = { ...PATIENT, retry: { attempts: 3, backoff: '1s', on: ['lost', 'exit-code'] } };

const firstRunFails = (run: number): ExitReason => (run === 1 ? 'exit-code' : 'completed');

function crashProvider({ world, providers }: Stage, { provider }: JobEvent): void {
  const machine = providers.find(({ identity }) => identity.peerId === provider);
  if (machine !== undefined) world.crash(machine);
}

export const STORIES: Readonly<Record<string, Story>> = {
  'one that nothing happens to': { job: PATIENT, thorough: true, end: 'Completed', runs: 1 },
  'one whose providers lock with the bid': {
    job: PATIENT,
    lockOnBid: true,
    thorough: true,
    end: 'Completed',
    runs: 1,
  },
  'one that asks the providers it knows': {
    job: { ...PATIENT, orchestrationType: 'push' },
    end: 'Completed',
    runs: 1,
  },
  'one of two partitions': { job: { ...PATIENT, count: 2 }, end: 'Completed', runs: 2 },
  'one that finds the provider busy': {
    providers: 1,
    job: LARGE,
    before: async (world) => {
      const rival = await world.start('rival', { provides: false });
      await world.clock.advanceBy(500);
      await world.post(rival, LARGE);
      await world.clock.advanceBy(400);
    },
    end: 'Completed',
    runs: 1,
  },
  'one that another is faster than': {
    providers: 1,
    network: { breakDetectionMs: 60_000 },
    job: { ...LARGE, timeouts: { ...PATIENT.timeouts, search: '3s' } },
    // Both wait for the bid of a provider that is dead and has never answered, the rival for less long.
    before: async (world) => {
      const dead = await world.start('dead', { provides: true });
      const rival = await world.start('rival', { provides: false });
      await world.clock.advanceBy(500);
      world.crash(dead);
      await world.post(rival, { ...LARGE, timeouts: { ...PATIENT.timeouts, search: '500ms' } });
    },
    end: 'Completed',
    runs: 1,
  },
  'one whose provider crashes before it gives its lock': {
    job: PATIENT,
    incidents: [{ at: 'lock.requested', happen: crashProvider }],
    end: 'Completed',
    runs: 1,
  },
  'one whose provider is silent when asked for its lock': {
    job: PATIENT,
    network: { breakDetectionMs: 8000 },
    incidents: [{ at: 'lock.requested', happen: crashProvider }],
    end: 'Completed',
    runs: 1,
  },
  'one whose proposal is lost': {
    job: PATIENT,
    incidents: [
      {
        at: 'contract.proposed',
        happen: ({ world, requester }, { provider = '' }) => {
          world.network.breakChannels(requester.identity.peerId, provider);
        },
      },
    ],
    end: 'Completed',
    runs: 1,
  },
  'one whose provider crashes as it works': {
    job: RETRIED,
    incidents: [{ at: 'execution.started', dooms: true, happen: crashProvider }],
    end: 'Completed',
    runs: 1,
  },
  'one that fails at first': { job: RETRIED, exitReason: firstRunFails, end: 'Completed', runs: 2 },
  'one that fails': {
    job: { ...PATIENT, retry: { attempts: 1, on: [] } },
    exitReason: () => 'exit-code',
    end: 'Failed',
    runs: 1,
  },
  'one that is cancelled': {
    job: PATIENT,
    cancelled: true,
    incidents: [
      {
        at: 'execution.started',
        dooms: true,
        happen: ({ world, requester, jobId }) => {
          void world.nodeOf(requester).orchestrator.cancelJob(jobId);
        },
      },
    ],
    end: 'Stopped',
    runs: 0,
  },
};
