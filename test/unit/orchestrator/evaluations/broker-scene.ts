import type { Evaluation } from '../../../../src/domain/job/evaluation.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import type {
  BrokerStats,
  Delivery,
  EvaluationBroker,
  EvaluationType,
  StateCount,
} from '../../../../src/orchestrator/evaluations/broker-contract.ts';
import {
  type BrokerOptions,
  defaultBrokerOptions,
} from '../../../../src/orchestrator/evaluations/broker-options.ts';
import { createEvaluationBroker } from '../../../../src/orchestrator/evaluations/evaluation-broker.ts';
import { FakeClock } from './fake-clock.ts';

export const ALL_TYPES: readonly EvaluationType[] = ['batch', 'service', 'ops', 'daemon'];

const TEST_OPTIONS: BrokerOptions = {
  ...defaultBrokerOptions,
  visibilityTimeoutMs: 5000,
  maxDeliveries: 3,
  firstNackDelayMs: 100,
  nackDelayStepMs: 1000,
};

/** Every evaluation is of a job of its own and of the same age unless told otherwise. */
export function evaluation(id: string, fields: Partial<Evaluation> = {}): Evaluation {
  return {
    id,
    jobId: `job of ${id}`,
    type: 'batch',
    priority: 50,
    trigger: 'job-register',
    createdAt: 1000,
    ...fields,
  };
}

export interface BrokerScene {
  readonly clock: FakeClock;
  readonly broker: EvaluationBroker;
  /** With what is held of all types together. */
  readonly stats: () => BrokerStats & { readonly total: StateCount };
  readonly enqueueAll: (evaluations: readonly Evaluation[]) => void;
  /** Ids of the evaluations that were given up. */
  readonly deadLetters: readonly string[];
  /** Takes one that must be there. */
  readonly take: (types?: readonly EvaluationType[]) => Promise<Delivery>;
  /** What is there right now, without waiting for more. */
  readonly takeIfReady: (types?: readonly EvaluationType[]) => Promise<Delivery | undefined>;
  /** Ids in the order they are handed out; each is acked before the next one is taken. */
  readonly drain: (types?: readonly EvaluationType[]) => Promise<string[]>;
}

export function brokerScene(options: Partial<BrokerOptions> = {}): BrokerScene {
  const clock = new FakeClock();
  let receipts = 0;
  const deadLetters: string[] = [];
  const broker = createEvaluationBroker(
    { ...TEST_OPTIONS, ...options },
    {
      clock,
      newReceipt: () => `receipt ${(receipts += 1)}`,
      logger: silentLogger,
      onDeadLetter: ({ id }) => void deadLetters.push(id),
    },
  );
  broker.setEnabled(true);

  const takeIfReady = async (types = ALL_TYPES): Promise<Delivery | undefined> => {
    const stop = new AbortController();
    const taken = broker.dequeue(types, 0, stop.signal).catch(() => undefined);
    stop.abort();
    return taken;
  };
  const take = async (types = ALL_TYPES): Promise<Delivery> => {
    const delivery = await takeIfReady(types);
    if (delivery === undefined) throw new Error('nothing is ready');
    return delivery;
  };
  const drain = async (types = ALL_TYPES): Promise<string[]> => {
    const ids: string[] = [];
    for (let next = await takeIfReady(types); next !== undefined; next = await takeIfReady(types)) {
      ids.push(next.evaluation.id);
      broker.ack(next.evaluation.id, next.receipt);
    }
    return ids;
  };
  const enqueueAll = (evaluations: readonly Evaluation[]): void => {
    for (const one of evaluations) broker.enqueue(one);
  };
  const stats = (): BrokerStats & { readonly total: StateCount } => {
    const now = broker.stats();
    const total = { delayed: 0, pending: 0, ready: 0, 'in-flight': 0, 'held-back': 0 };
    for (const counts of Object.values(now.byType)) {
      for (const state of Object.keys(total) as (keyof StateCount)[]) total[state] += counts[state];
    }
    return { ...now, total };
  };
  return { clock, broker, stats, enqueueAll, deadLetters, take, takeIfReady, drain };
}

/** The code of the error that `act` throws. */
export function codeThrownBy(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return 'nothing was thrown';
}
