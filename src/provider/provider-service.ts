import type { Bid, BidRequest, Decline, JobRequest } from '../domain/bid.ts';
import type { Pools } from '../domain/capability.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import {
  type ContractAnswer,
  type Proposal,
  type SignedContract,
  canMoveContract,
  moveContract,
} from '../domain/contract.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Lease } from '../domain/lock.ts';
import { releaseLease } from '../domain/lock.ts';
import type { Desired } from '../domain/serving.ts';
import { assert } from '../lib/assert.ts';
import type { Timer } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { newId } from '../lib/random.ts';
import { Bidder } from './bidding/bidder.ts';
import { ContractDesk } from './bidding/contract-desk.ts';
import { ExecutionBook } from './executions/execution-book.ts';
import { Reporter } from './executions/reporter.ts';
import { Supervisor } from './executions/supervisor.ts';
import type { Provider, ProviderNeeds } from './index.ts';
import { ResourceLedger } from './locks/ledger.ts';
import type { ProviderOptions } from './options.ts';
import type { Answer, OutputStream, ProviderDesk, ProviderExecution } from './ports.ts';

interface Parts {
  readonly ledger: ResourceLedger;
  readonly bidder: Bidder;
  readonly contracts: ContractDesk;
  readonly supervisor: Supervisor;
  readonly reporter: Reporter;
}

/** Wires the provider's parts and is their face to the network. */
export class ProviderService implements Provider, ProviderDesk {
  readonly #options: ProviderOptions;
  readonly #needs: ProviderNeeds;
  readonly #book: ExecutionBook;
  readonly #orphanTimers = new Map<string, Timer>();
  readonly #heardAtMs = new Map<string, number>();
  #parts: Parts | undefined;

  constructor(options: ProviderOptions, needs: ProviderNeeds) {
    this.#options = options;
    this.#needs = needs;
    this.#book = new ExecutionBook(needs.store);
  }

  get desk(): ProviderDesk {
    return this;
  }

  /** Recovery comes before the first bid: leftovers are ended, locks without a contract are freed. */
  async start(): Promise<void> {
    const { leases, executions, highestLockVersion } = await this.#needs.store.load();
    const parts = this.#wire(highestLockVersion);
    for (const { process } of executions) if (process !== undefined) await this.#needs.executor.reap(process);
    await this.#needs.folders.sweep();
    await this.#recoverLeases(parts, leases, executions);
    for (const execution of executions) await this.#recover(parts, execution);
    this.#parts = parts;
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#parts = undefined;
    parts.bidder.setDraining(true);
    await parts.supervisor.stopAll();
    parts.reporter.stop();
    parts.ledger.stop();
    for (const timer of this.#orphanTimers.values()) timer.cancel();
    this.#orphanTimers.clear();
    this.#heardAtMs.clear();
  }

  pools(): Pools {
    return (
      this.#parts?.ledger.pools() ?? {
        machine: this.#needs.machine,
        onboarded: this.#needs.onboarded,
        locked: NO_RESOURCES,
        allocated: NO_RESOURCES,
        free: NO_RESOURCES,
      }
    );
  }

  leases(): readonly Lease[] {
    return this.#parts?.ledger.leases() ?? [];
  }

  setDraining(draining: boolean): void {
    this.#running().bidder.setDraining(draining);
  }

  // ---- ProviderDesk ---------------------------------------------------------------------------------

  async answer(request: Evidence<BidRequest>): Promise<Answer> {
    return this.#parts === undefined
      ? { kind: 'silence', reason: 'not started' }
      : this.#parts.bidder.answer(request);
  }

  async lock(requester: string, request: Evidence<JobRequest>): Promise<Evidence<Bid> | Evidence<Decline>> {
    return this.#running().bidder.lock(requester, request);
  }

  async accept(requester: string, proposal: Proposal): Promise<SignedContract | Evidence<Decline>> {
    return this.#running().contracts.accept(requester, proposal);
  }

  ended(requester: string, requestId: string): void {
    void this.#parts?.bidder.ended(requester, requestId).catch((error: unknown) => {
      this.#needs.logger.warn('a freed lock could not be written', { reason: messageOf(error) });
    });
  }

  async contract(_asker: string, contractId: string): Promise<ContractAnswer> {
    return this.#running().contracts.answer(contractId);
  }

  async mayRead(peer: string, cid: string, contractId: string): Promise<boolean> {
    const execution = this.#book.byContract(contractId);
    return execution?.requester === peer && execution.item.resultCid === cid;
  }

  async *logs(
    peer: string,
    contractId: string,
    stream: OutputStream,
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const execution = this.#book.byContract(contractId);
    if (execution?.requester !== peer)
      throw new CodedError('LOGS_DENIED', 'Only the requester of a contract may read its output.');
    const folder = this.#running().supervisor.folderOf(execution.item.executionId);
    if (folder !== undefined) yield* folder.read(stream, offset, follow, signal);
  }

  peerConnected(peer: string): void {
    if (this.#parts?.reporter.serves(peer) === true) this.#parts.reporter.changed(peer);
  }

  // ---- insides --------------------------------------------------------------------------------------

  #running(): Parts {
    if (this.#parts === undefined)
      throw new CodedError('NOT_STARTED', 'The provider of this node is not running.');
    return this.#parts;
  }

  #wire(highestVersion: number): Parts {
    const { clock, random, logger, notary, store, link, content, folders, executor, check, traits } =
      this.#needs;
    const { machine, onboarded } = this.#needs;
    const id = (): string => newId(clock, random);
    const ledger = new ResourceLedger(
      { machine, onboarded, highestVersion },
      { clock, newLockId: id, onExpired: (lease) => void this.#expired(lease) },
    );
    const reporter = new Reporter(
      { periodMs: this.#options.limits.heartbeatMs, longestMs: this.#options.limits.longestHeartbeatMs },
      {
        clock,
        logger,
        notary,
        link,
        servedTo: (requester) => this.#servedTo(requester),
        onDesired: (requester, executionId, attempt, desired) =>
          void this.#desired(requester, executionId, attempt, desired),
        onHeard: (requester) => this.#heard(requester),
      },
    );
    const supervisor = new Supervisor(this.#options, {
      clock,
      logger,
      ledger,
      store,
      content,
      folders,
      executor,
      book: this.#book,
      onChanged: (requester) => reporter.changed(requester),
    });
    const bidder = new Bidder(this.#options, {
      clock,
      newId: id,
      notary,
      ledger,
      store,
      link,
      traits,
      liveExecutions: () => this.#book.liveCount(),
    });
    const contracts = new ContractDesk(this.#options, {
      clock,
      notary,
      ledger,
      bidder,
      store,
      check,
      onAccepted: (execution) => this.#accepted(execution),
    });
    return { ledger, bidder, contracts, supervisor, reporter };
  }

  #accepted(execution: ProviderExecution): void {
    const { supervisor, reporter } = this.#running();
    this.#book.add(execution);
    this.#heard(execution.requester);
    reporter.changed(execution.requester);
    void supervisor.start(execution);
  }

  async #recoverLeases(
    parts: Parts,
    leases: readonly Lease[],
    executions: readonly ProviderExecution[],
  ): Promise<void> {
    const startable = new Set(
      executions.filter(({ item }) => item.state === 'BidAccepted').map(({ lockId }) => lockId),
    );
    const freed: Lease[] = [];
    for (const lease of leases) {
      if (lease.state === 'committed' && startable.has(lease.lockId)) parts.ledger.adopt(lease);
      else freed.push(releaseLease(lease));
    }
    if (freed.length > 0) await this.#needs.store.commit({ leases: freed });
  }

  /** A child never outlives its node, so what was running is lost; what had not started may start now. */
  async #recover(parts: Parts, execution: ProviderExecution): Promise<void> {
    this.#book.add(execution);
    if (execution.settled) return;
    const { executionId, state } = execution.item;
    const started = state === 'Running' || execution.process !== undefined;
    if (state === 'Running' || (state === 'BidAccepted' && started)) {
      parts.ledger.release(execution.lockId);
      await this.#book.move(executionId, {
        state: 'Failed',
        exitReason: 'lost',
        message: 'The provider was restarted while this ran.',
        finishedAt: this.#needs.clock.nowMs(),
      });
    } else if (state === 'BidAccepted') {
      void parts.supervisor.start(execution);
    }
    this.#heard(execution.requester);
    parts.reporter.changed(execution.requester);
  }

  #servedTo(requester: string): { record: Uint8Array; items: readonly ProviderExecution['item'][] } {
    const served = this.#book.unsettledOf(requester);
    return { record: served[0]?.requesterRecord ?? new Uint8Array(), items: served.map(({ item }) => item) };
  }

  async #desired(requester: string, executionId: string, attempt: number, desired: Desired): Promise<void> {
    const execution = this.#book.get(executionId);
    if (execution === undefined || execution.requester !== requester || execution.item.attempt !== attempt)
      return;
    const parts = this.#running();
    const { state } = execution.item;
    const over = state === 'Publishing' || state === 'Failed' || state === 'Cancelled';
    if (desired === 'stop' && !over) parts.supervisor.stop(executionId, 'cancelled');
    else if (over && desired !== 'run' && !execution.settled) await this.#settle(execution, desired);
  }

  /** The requester has what it wants of it: contract closed, result free to go. */
  async #settle(execution: ProviderExecution, desired: Desired): Promise<void> {
    const { store, clock, content } = this.#needs;
    const { contractId, executionId, state } = execution.item;
    const contract = await store.contract(contractId);
    const end = desired === 'done' && state === 'Publishing' ? 'COMPLETED' : 'TERMINATED';
    const contracts =
      contract !== undefined && canMoveContract(contract.state, end)
        ? [moveContract(contract, end, clock.nowMs())]
        : [];
    await this.#book.settle(executionId, { contracts });
    await content.unpin(contractId);
    await this.#book.forget(executionId);
  }

  /** Work whose requester is out of reach for longer than the terms allow is ended, and old results go. */
  #heard(requester: string): void {
    this.#heardAtMs.set(requester, this.#needs.clock.monotonicMs());
    void this.#endOrphans(requester);
  }

  async #endOrphans(requester: string): Promise<void> {
    this.#orphanTimers.get(requester)?.cancel();
    this.#orphanTimers.delete(requester);
    let nextMs = Number.POSITIVE_INFINITY;
    for (const execution of this.#book.unsettledOf(requester)) {
      const contract = await this.#needs.store.contract(execution.item.contractId);
      const over = execution.item.finishedAt !== undefined;
      const limitMs = (over ? contract?.terms.value.retentionMs : contract?.terms.value.orphanAfterMs) ?? 0;
      const silentMs = this.#needs.clock.monotonicMs() - (this.#heardAtMs.get(requester) ?? 0);
      if (silentMs < limitMs) nextMs = Math.min(nextMs, limitMs - silentMs);
      else if (over) await this.#settle(execution, 'stop');
      else this.#parts?.supervisor.stop(execution.item.executionId, 'lost');
    }
    if (this.#parts === undefined || nextMs === Number.POSITIVE_INFINITY) return;
    this.#orphanTimers.get(requester)?.cancel();
    this.#orphanTimers.set(
      requester,
      this.#needs.clock.after(nextMs, () => void this.#endOrphans(requester)),
    );
  }

  async #expired(lease: Lease): Promise<void> {
    assert(lease.state === 'expired', 'only expired leases come here');
    await this.#needs.store.commit({ leases: [lease] });
    if (this.#book.get(lease.executionId) !== undefined)
      this.#parts?.supervisor.stop(lease.executionId, 'timeout');
  }
}
