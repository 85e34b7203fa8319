import type { Evaluation } from '../../../../src/domain/job/evaluation.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import type { EvaluationBroker } from '../../../../src/orchestrator/evaluations/broker-contract.ts';
import {
  type WorkerOptions,
  defaultWorkerOptions,
} from '../../../../src/orchestrator/workers/worker-options.ts';
import { type Scheduler, type Worker, createWorker } from '../../../../src/orchestrator/workers/worker.ts';
import { type BrokerScene, brokerScene } from './broker-scene.ts';

export const WORKER_OPTIONS: WorkerOptions = {
  ...defaultWorkerOptions,
  concurrency: 1,
  extendEveryMs: 2000,
  longestWorkMs: 20_000,
};

interface WorkerScene extends BrokerScene {
  readonly worker: Worker;
  /** Evaluations the scheduler was given. */
  readonly scheduled: Evaluation[];
}

export function workerScene(
  scheduler: Scheduler | undefined,
  options: Partial<WorkerOptions> = {},
  broker?: Partial<EvaluationBroker>,
): WorkerScene {
  const scene = brokerScene();
  const scheduled: Evaluation[] = [];
  const real = scene.broker;
  const worker = createWorker(
    { ...WORKER_OPTIONS, ...options },
    {
      broker: {
        dequeue: (...args) => real.dequeue(...args),
        ack: (...args) => real.ack(...args),
        nack: (...args) => real.nack(...args),
        extend: (...args) => real.extend(...args),
        ...broker,
      },
      schedulers: () =>
        scheduler &&
        ((given) => {
          scheduled.push(given);
          return scheduler(given);
        }),
      clock: scene.clock,
      chance: () => 0,
      logger: silentLogger,
    },
  );
  return { ...scene, worker, scheduled };
}

export function gate(): { readonly scheduler: Scheduler; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { scheduler: () => promise, open: resolve };
}
