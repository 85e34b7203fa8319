import type { Evaluation } from '../../domain/job/evaluation.ts';
import { assert } from '../../lib/assert.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type {
  BrokerErrorCode,
  BrokerNeeds,
  BrokerStats,
  Delivery,
  EvaluationBroker,
  EvaluationType,
} from './broker-contract.ts';
import { type BrokerOptions, nackDelayMs } from './broker-options.ts';
import { DelayQueue } from './delay-queue.ts';
import { EvaluationRegister } from './evaluation-register.ts';
import { type Flight, InFlight } from './in-flight.ts';
import { JobIndex } from './job-index.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { TrackedEvaluation } from './tracked-evaluation.ts';
import { WaitingDequeuers } from './waiting-dequeuers.ts';

export function createEvaluationBroker(options: BrokerOptions, needs: BrokerNeeds): EvaluationBroker {
  return new InMemoryBroker(options, needs);
}

class InMemoryBroker implements EvaluationBroker {
  readonly #options: BrokerOptions;
  readonly #needs: BrokerNeeds;
  readonly #register = new EvaluationRegister();
  readonly #jobs: JobIndex;
  readonly #ready = new ReadyQueue();
  readonly #delayed: DelayQueue<TrackedEvaluation>;
  readonly #heldBack: DelayQueue<TrackedEvaluation>;
  readonly #inFlight: InFlight;
  readonly #dequeuers: WaitingDequeuers;
  readonly #counters = { acked: 0, nacked: 0, timedOut: 0, deadLettered: 0, superseded: 0 };
  #enabled = false;

  constructor(options: BrokerOptions, needs: BrokerNeeds) {
    const { clock } = needs;
    this.#options = options;
    this.#needs = needs;
    this.#jobs = new JobIndex(options.maxWaitingPerJob);
    this.#dequeuers = new WaitingDequeuers(clock);
    this.#delayed = new DelayQueue({
      clock,
      now: () => clock.livedMs(),
      isLive: (tracked) => tracked.state === 'delayed' && this.#register.holds(tracked),
      onDue: (due) => this.#release(due),
    });
    this.#heldBack = new DelayQueue({
      clock,
      now: () => clock.monotonicMs(),
      isLive: () => true,
      onDue: (due) => this.#retry(due),
    });
    this.#inFlight = new InFlight({
      clock,
      visibilityTimeoutMs: options.visibilityTimeoutMs,
      onTimeout: (flight) => this.#timedOut(flight),
    });
  }

  setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    if (enabled) return;
    this.#inFlight.clear();
    this.#delayed.clear();
    this.#heldBack.clear();
    this.#ready.clear();
    this.#jobs.clear();
    this.#register.clear();
    this.#dequeuers.rejectAll(disabled);
  }

  enqueue(evaluation: Evaluation): void {
    if (!this.#enabled || this.#register.has(evaluation.id)) return;
    this.#requireRoom();
    this.#admit(evaluation);
    this.#serve();
  }

  dequeue(
    types: readonly EvaluationType[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Delivery | undefined> {
    if (!this.#enabled) return Promise.reject(disabled());
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const delivery = this.#take(types);
    return delivery === undefined
      ? this.#dequeuers.wait(types, timeoutMs, signal)
      : Promise.resolve(delivery);
  }

  ack(evaluationId: string, receipt: string): void {
    const { tracked } = this.#inFlight.end(evaluationId, receipt);
    this.#counters.acked += 1;
    this.#register.remove(tracked);
    this.#advance(tracked.evaluation.jobId);
    this.#serve();
  }

  nack(evaluationId: string, receipt: string): void {
    const { tracked } = this.#inFlight.end(evaluationId, receipt);
    this.#counters.nacked += 1;
    this.#failed(tracked);
  }

  extend(evaluationId: string, receipt: string): void {
    this.#inFlight.extend(evaluationId, receipt);
  }

  forgetJob(jobId: string): void {
    for (const tracked of this.#jobs.takeWaiting(jobId)) this.#supersede(tracked);
  }

  stats(): BrokerStats {
    return {
      waitingDequeuers: this.#dequeuers.size,
      byType: this.#register.counts.byType(),
      counters: { ...this.#counters },
    };
  }

  #requireRoom(): void {
    const taken = this.#register.size;
    if (taken < this.#options.maxEvaluations) return;
    throw new CodedError<BrokerErrorCode>(
      'BROKER_FULL',
      'Too many evaluations are waiting. Take no new work until some are done.',
      { data: { taken, limit: this.#options.maxEvaluations } },
    );
  }

  #admit(evaluation: Evaluation): void {
    const { waitUntil, jobId } = evaluation;
    const waits = waitUntil !== undefined && waitUntil > this.#needs.clock.livedMs();
    const state = waits ? 'delayed' : this.#jobs.isActive(jobId) ? 'pending' : 'ready';
    const tracked = this.#register.add(evaluation, state);
    if (waits) this.#delay(tracked, waitUntil);
    else this.#line(tracked);
  }

  #delay(tracked: TrackedEvaluation, waitUntil: number): void {
    const superseded = this.#jobs.addDelayed(tracked, waitUntil);
    this.#delayed.add(tracked, waitUntil);
    if (superseded !== undefined) this.#supersede(superseded);
  }

  /** Gives a ready one the job's turn, and lets a pending one wait for it. */
  #line(tracked: TrackedEvaluation): void {
    if (tracked.state === 'ready') {
      this.#jobs.activate(tracked);
      this.#ready.push(tracked);
      return;
    }
    const superseded = this.#jobs.addPending(tracked);
    if (superseded !== undefined) this.#supersede(superseded);
  }

  #release(due: readonly TrackedEvaluation[]): void {
    for (const tracked of due) {
      const { jobId, waitUntil } = tracked.evaluation;
      assert(waitUntil !== undefined, 'a delayed evaluation has a time');
      this.#jobs.removeDelayed(tracked, waitUntil);
      this.#register.move(tracked, this.#jobs.isActive(jobId) ? 'pending' : 'ready');
      this.#line(tracked);
    }
    this.#serve();
  }

  #retry(due: readonly TrackedEvaluation[]): void {
    for (const tracked of due) {
      this.#register.move(tracked, 'ready');
      this.#ready.push(tracked);
    }
    this.#serve();
  }

  #serve(): void {
    this.#dequeuers.serve((types) => this.#take(types));
  }

  #take(types: readonly EvaluationType[]): Delivery | undefined {
    const tracked = this.#ready.take(types);
    if (tracked === undefined) return undefined;
    const receipt = this.#needs.newReceipt();
    this.#register.move(tracked, 'in-flight');
    this.#inFlight.begin(tracked, receipt);
    return { evaluation: tracked.evaluation, receipt, deliveries: tracked.deliveries };
  }

  #timedOut({ tracked }: Flight): void {
    this.#counters.timedOut += 1;
    const { id, jobId } = tracked.evaluation;
    this.#needs.logger.warn('evaluation not settled in time', { evaluationId: id, jobId });
    this.#failed(tracked);
  }

  #failed(tracked: TrackedEvaluation): void {
    const { deliveries } = tracked;
    if (deliveries >= this.#options.maxDeliveries) {
      this.#bury(tracked);
      return;
    }
    const delayMs = nackDelayMs(this.#options, deliveries);
    this.#register.move(tracked, 'held-back');
    if (delayMs <= 0) this.#retry([tracked]);
    else this.#heldBack.add(tracked, this.#needs.clock.monotonicMs() + delayMs);
  }

  /** A dead letter ends its turn: later evaluations of the job may succeed where this one did not. */
  #bury(tracked: TrackedEvaluation): void {
    const { evaluation, deliveries } = tracked;
    const { id, jobId } = evaluation;
    this.#register.remove(tracked);
    this.#counters.deadLettered += 1;
    this.#needs.logger.error('evaluation given up', { evaluationId: id, jobId, deliveries });
    this.#advance(jobId);
    this.#serve();
    this.#needs.onDeadLetter(evaluation);
  }

  #advance(jobId: string): void {
    const { next, superseded } = this.#jobs.advance(jobId);
    for (const tracked of superseded) this.#supersede(tracked);
    if (next === undefined) return;
    this.#register.move(next, 'ready');
    this.#ready.push(next);
  }

  #supersede(tracked: TrackedEvaluation): void {
    this.#register.remove(tracked);
    this.#counters.superseded += 1;
    if (tracked.state === 'delayed') this.#delayed.forgetOne();
  }
}

function disabled(): CodedError<BrokerErrorCode> {
  return new CodedError(
    'BROKER_DISABLED',
    'The evaluation broker is disabled. Enable it, then dequeue again.',
  );
}
