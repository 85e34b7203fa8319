import { BehaviourHistory } from '../domain/trust/behaviour-history.ts';
import type { Evaluation } from '../domain/job/evaluation.ts';
import type { Job } from '../domain/job/job.ts';
import { chanceOf, newId } from '../lib/random.ts';
import { behaviourEventsIn, isBrokenWord } from './behaviour/behaviour-events.ts';
import { Evaluations } from './evaluations.ts';
import type { EvaluationBroker } from './evaluations/broker-contract.ts';
import { defaultBrokerOptions } from './evaluations/broker-options.ts';
import { createEvaluationBroker } from './evaluations/evaluation-broker.ts';
import type { OrchestratorNeeds } from './index.ts';
import { JobIntake } from './intake/job-intake.ts';
import { JobLane } from './job-lane.ts';
import { ContractCloser, type ContractCloserNeeds } from './negotiation/contract-closer.ts';
import { Negotiator } from './negotiation/negotiator.ts';
import { type UnansweredNeeds, UnansweredProposals } from './negotiation/unanswered-proposals.ts';
import type { OrchestratorOptions } from './options.ts';
import { Planner } from './planners/planner.ts';
import { BatchScheduler } from './workers/batch-scheduler.ts';
import { RoomWatch } from './search/room-watch.ts';
import { SearchDispatcher } from './search/search-dispatcher.ts';
import { Counterparts } from './serving/counterparts.ts';
import { Liveness } from './serving/liveness.ts';
import { ServingHandler } from './serving/serving-handler.ts';
import { Watchdog } from './watchdog.ts';
import { defaultWorkerOptions } from './workers/worker-options.ts';
import { createWorker, type Worker } from './workers/worker.ts';

export interface RequesterParts {
  readonly behaviour: BehaviourHistory;
  readonly counterparts: Counterparts;
  readonly lane: JobLane;
  readonly evaluations: Evaluations;
  readonly broker: EvaluationBroker;
  readonly worker: Worker;
  readonly liveness: Liveness;
  readonly watchdog: Watchdog;
  readonly searches: SearchDispatcher;
  readonly closer: ContractCloser;
  readonly unanswered: UnansweredProposals;
  readonly serving: ServingHandler;
  readonly intake: JobIntake;
  readonly planner: Planner;
  readonly room: RoomWatch;
}

export interface RequesterHooks {
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
  readonly onFinished: (job: Job) => void;
  /** Evaluations of a job failed so often that they were given up. */
  readonly onDeadLetter: (evaluation: Evaluation) => void;
}

/** Builds the requester's parts and joins them: evaluations in, plans out, facts back. */
export function wireRequester(
  options: OrchestratorOptions,
  needs: OrchestratorNeeds,
  hooks: RequesterHooks,
): RequesterParts {
  const { clock, logger, random } = needs;
  const id = (): string => newId(clock, random);
  const broker = wireBroker(options, needs, hooks, id);
  const evaluations = new Evaluations({ broker, clock, newId: id, logger });
  const evaluate: Evaluations['evaluate'] = (...about) => evaluations.evaluate(...about);
  const liveness = new Liveness(clock);
  const room = new RoomWatch({ clock, random, evaluate });
  const watchdog: Watchdog = new Watchdog(
    { periodMs: options.limits.watchPeriodMs, lostAfterMs: options.limits.lostAfterMs },
    {
      clock,
      liveness,
      evaluate,
      onOver: (executionId) => {
        liveness.forget(executionId);
        room.freed(false);
        serving.forget(executionId);
      },
      onLook: [() => evaluations.repeatMissed(), () => unanswered.look()],
    },
  );
  const { behaviour, counterparts } = wireMemory(options, needs);
  const lane = wireLane(needs, hooks, watchdog, { behaviour, counterparts });
  const around = { ...needs, ...hooks, chance: chanceOf(random), lane, evaluate, behaviour };
  const searches = new SearchDispatcher(options, around);
  const { closer, unanswered } = wireCloser(options, around);
  const serving: ServingHandler = new ServingHandler({
    ...around,
    liveness,
    counterparts,
    resolve: (execution, contract) => closer.resolve(execution, contract),
  });
  const negotiator = new Negotiator(options.limits, { ...around, dispatcher: searches, closer });
  const planner = new Planner({
    clock,
    dispatcher: searches,
    room,
    negotiator,
    newRequestId: id,
    evaluate,
    onFinished: ({ job }) => hooks.onFinished(job),
  });
  const scheduler = new BatchScheduler(options.limits, { clock, lane, liveness, searches, planner, room });
  const worker = wireWorker(options, needs, broker, scheduler);
  const openJobs = (): number => watchdog.openJobs;
  const { self } = needs.market;
  const intake = new JobIntake(options, { ...around, self, newId: id, evaluations, openJobs });
  return {
    behaviour,
    counterparts,
    lane,
    evaluations,
    broker,
    worker,
    liveness,
    watchdog,
    searches,
    closer,
    unanswered,
    serving,
    intake,
    planner,
    room,
  };
}

/** What this node remembers of providers. */
function wireMemory(
  { limits }: OrchestratorOptions,
  needs: OrchestratorNeeds,
): Pick<RequesterParts, 'behaviour' | 'counterparts'> {
  const behaviour = new BehaviourHistory(limits.strikes, needs);
  return { behaviour, counterparts: new Counterparts(limits.strikes, { ...needs, behaviour }) };
}

/** What the one gave up on, the other asks about again. */
function wireCloser(
  { limits }: OrchestratorOptions,
  around: Omit<ContractCloserNeeds, 'onUnknown'> & Omit<UnansweredNeeds, 'closer'>,
): Pick<RequesterParts, 'closer' | 'unanswered'> {
  const closer = new ContractCloser(limits, {
    ...around,
    onUnknown: (contract) => unanswered.add(contract),
  });
  const unanswered: UnansweredProposals = new UnansweredProposals({ ...around, closer });
  return { closer, unanswered };
}

function wireWorker(
  { limits }: OrchestratorOptions,
  { clock, logger, random }: OrchestratorNeeds,
  broker: EvaluationBroker,
  scheduler: BatchScheduler,
): Worker {
  return createWorker(
    { ...defaultWorkerOptions, concurrency: limits.workers },
    {
      broker,
      clock,
      chance: chanceOf(random),
      logger,
      schedulers: (type) => (type === 'batch' ? (evaluation) => scheduler.schedule(evaluation) : undefined),
    },
  );
}

function wireBroker(
  options: OrchestratorOptions,
  { clock, logger }: OrchestratorNeeds,
  hooks: RequesterHooks,
  newReceipt: () => string,
): EvaluationBroker {
  return createEvaluationBroker(
    { ...defaultBrokerOptions, maxEvaluations: options.limits.maxOpenJobs * 2 },
    { clock, newReceipt, logger, onDeadLetter: hooks.onDeadLetter },
  );
}

/** Whatever is written of a job is seen by the watchdog, and what it says of providers is remembered. */
function wireLane(
  { clock, random, store, peers }: OrchestratorNeeds,
  { signal }: RequesterHooks,
  watchdog: Watchdog,
  { behaviour, counterparts }: Pick<RequesterParts, 'behaviour' | 'counterparts'>,
): JobLane {
  const startedAt = clock.livedMs();
  return new JobLane({
    clock,
    chance: chanceOf(random),
    signal,
    store: {
      newest: (jobId) => store.newest(jobId),
      newestContract: (contractId) => store.newestContract(contractId),
      settled: (jobId) => store.settled(jobId),
      begin: async (commit) => {
        const { after, durable } = await store.begin(commit);
        const noted = durable.then(() => {
          watchdog.watch(after);
          counterparts.seen(commit.executions ?? []);
          // A node that stops ends negotiations itself.
          const facts = signal.aborted ? [] : behaviourEventsIn(commit.events, after.executions, startedAt);
          for (const { provider, kind } of facts) {
            if (kind === 'good') {
              behaviour.good(provider);
              peers.acquaintance?.kept(provider);
            } else {
              behaviour.strike(provider, kind);
              if (isBrokenWord(kind)) peers.acquaintance?.broke(provider);
            }
          }
        });
        return { after, durable: noted };
      },
    },
  });
}
