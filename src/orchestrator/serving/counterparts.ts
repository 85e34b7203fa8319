import { LRUCache } from 'lru-cache';
import type { BehaviourHistory } from '../../domain/trust/behaviour-history.ts';
import { type Execution, isCommitted } from '../../domain/market/execution.ts';
import { type NodeNotes, PeerMemory, type PeerMemoryLimits } from '../../domain/trust/peer-memory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';

/** Providers that are remembered for a contract: the one named longest ago makes room. */
const MOST_COUNTERPARTS = 4096;
/** Executions under contract that are remembered by their provider: the one heard of longest ago is looked up on disk. */
const MOST_EXECUTIONS = 16_384;
/** Thousandths: whoever is thought less of is not known for what it kept. */
const KNOWN_REPUTATION = 500;

export interface CounterpartsNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notes: NodeNotes;
  readonly behaviour: Pick<BehaviourHistory, 'behaviourOf'>;
}

/**
 * The providers that this node has contracts with, or had, and those that kept one. In memory, so that a question about
 * any peer costs nothing; right after a restart too, once the open jobs were read.
 */
export class Counterparts implements Startable {
  readonly #needs: CounterpartsNeeds;
  readonly #met: PeerMemory;
  readonly #kept: PeerMemory;
  /** Executions that have a contract, or may have one, and are not over, by provider. */
  readonly #live = new Map<string, Set<string>>();
  readonly #providers = new LRUCache<string, string>({ max: MOST_EXECUTIONS });
  #isComplete = false;

  constructor({ writeDelayMs }: Pick<PeerMemoryLimits, 'writeDelayMs'>, needs: CounterpartsNeeds) {
    this.#needs = needs;
    const limits = { most: MOST_COUNTERPARTS, writeDelayMs };
    this.#met = new PeerMemory('counterparts', limits, needs);
    this.#kept = new PeerMemory('reliable-providers', limits, needs);
  }

  async start(): Promise<void> {
    await this.#met.start();
    await this.#kept.start();
  }

  async stop(): Promise<void> {
    await this.#met.stop();
    await this.#kept.stop();
  }

  /** The open jobs have been read: who is not here has nothing to do with them. */
  complete(): void {
    this.#isComplete = true;
  }

  /** What is on disk of these executions. */
  seen(executions: readonly Execution[]): void {
    for (const execution of executions) {
      const { id, provider, contractId, observed } = execution;
      if (contractId === undefined) continue;
      this.#providers.set(id, provider);
      if (observed.state === 'AskForBidAccepted' || isCommitted(execution)) this.#begin(provider, id);
      else this.#end(provider, id);
      if (observed.state === 'Completed') this.#kept.add(provider);
    }
  }

  /** It kept a contract and little is held against it, or it has one right now. */
  isKnown(provider: string): boolean {
    if (this.#live.has(provider)) return true;
    const { behaviour } = this.#needs;
    return this.#kept.has(provider) && behaviour.behaviourOf(provider).score >= KNOWN_REPUTATION;
  }

  /** False for one that cannot have anything to tell: there never was a contract with it. */
  mayReport(provider: string): boolean {
    return !this.#isComplete || this.#live.has(provider) || this.#met.has(provider);
  }

  /** True for what is known to be of this provider; of anything else only the disk knows. */
  isOf(provider: string, executionId: string): boolean {
    return this.#providers.get(executionId) === provider;
  }

  #begin(provider: string, executionId: string): void {
    let live = this.#live.get(provider);
    if (live === undefined) {
      live = new Set();
      this.#live.set(provider, live);
      this.#met.add(provider);
    }
    live.add(executionId);
  }

  #end(provider: string, executionId: string): void {
    this.#met.add(provider);
    const live = this.#live.get(provider);
    live?.delete(executionId);
    if (live?.size === 0) this.#live.delete(provider);
  }
}
