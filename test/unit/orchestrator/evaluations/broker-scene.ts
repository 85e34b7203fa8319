import type { Evaluation } from '../../../../src/domain/job/evaluation.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import type {
  Delivery,
  EvaluationBroker,
  EvaluationType,
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
  readonly deadLetterCalls: () => number;
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
  let deadLetterCalls = 0;
  const broker = createEvaluationBroker(
    { ...TEST_OPTIONS, ...options },
    {
      clock,
      newReceipt: () => `receipt ${(receipts += 1)}`,
      logger: silentLogger,
      onDeadLetter: () => (deadLetterCalls += 1),
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
  return { clock, broker, deadLetterCalls: () => deadLetterCalls, take, takeIfReady, drain };
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
