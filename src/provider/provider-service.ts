import { BehaviourHistory } from '../domain/trust/behaviour-history.ts';
import type { Asking } from '../domain/units/rate-card.ts';
import type { Bid, BidRequest, Decline, JobRequest } from '../domain/market/bid.ts';
import type { Pools } from '../domain/matching/capability.ts';
import type { ContractAnswer, Proposal, SignedContract } from '../domain/market/contract.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { Lease } from '../domain/market/lock.ts';
import { PeerMemory } from '../domain/trust/peer-memory.ts';
import { NO_RESOURCES } from '../domain/units/resources.ts';
import { CodedError } from '../lib/coded-error.ts';
import { QuestionGate } from './admission/question-gate.ts';
import { RequesterGate } from './admission/requester-gate.ts';
import { EstablishedDemand } from './behaviour/established-demand.ts';
import { RequesterHistory } from './behaviour/requester-history.ts';
import { isServed } from './bidding/policies.ts';
import { recoverExecutions } from './executions/recovery.ts';
import type { Provider, ProviderDescription, ProviderNeeds } from './index.ts';
import type { ProviderOptions } from './options.ts';
import type { Answer, Asked, OutputStream, ProviderHandler, RequesterGuard } from './ports.ts';
import { type ProviderParts, wireProvider } from './provider-parts.ts';
import type { TaskLoad } from './task-driver.ts';

/** The node record that keeps a drained provider drained over restarts. */
const DRAINING = 'draining';
/** The node record of the requesters that kept contracts with this provider. */
const REGULARS = 'established';

/** The face of the provider to the network. */
export class ProviderService implements Provider, ProviderHandler {
  readonly #options: ProviderOptions;
  readonly #needs: ProviderNeeds;
  readonly #behaviour: RequesterHistory;
  readonly #gate: RequesterGate;
  readonly #established: PeerMemory | undefined;
  readonly #establishedDemand: EstablishedDemand;
  readonly #questions: QuestionGate;
  readonly requesters: RequesterGuard;
  #draining = false;
  #leaving = false;
  #parts: ProviderParts | undefined;

  constructor(options: ProviderOptions, needs: ProviderNeeds) {
    this.#options = options;
    this.#needs = needs;
    const behaviour = new RequesterHistory(new BehaviourHistory(options.limits.strikes, needs));
    const gate = new RequesterGate(options.limits.admission, {
      self: needs.traits.peerId,
      clock: needs.clock,
      isServed: (requester) => isServed(requester, options),
      reputation: behaviour,
    });
    this.#behaviour = behaviour;
    this.#gate = gate;
    this.#established = establishedOf(options, needs, gate);
    this.#establishedDemand = establishedDemandOf(options, needs);
    this.#questions = new QuestionGate(options.limits.admission, {
      self: needs.traits.peerId,
      clock: needs.clock,
      isEstablished: (asker) => gate.isEstablished(asker),
    });
    this.requesters = {
      standing: (claimed) => gate.standing(claimed),
      heard: (requester) => gate.heard(requester),
      unreachable: (requester) => behaviour.unreachable(requester),
      knows: (requester) => gate.isEstablished(requester) || this.#parts?.live.serves(requester) === true,
    };
  }

  get handler(): ProviderHandler {
    return this;
  }

  /** Nothing is answered before everything from before is back in its place. */
  async start(): Promise<void> {
    await this.#behaviour.start();
    await this.#established?.start();
    await this.#establishedDemand.start();
    const stored = await this.#needs.store.load();
    const parts = wireProvider(
      this.#options,
      this.#needs,
      {
        gate: this.#gate,
        behaviour: this.#behaviour,
        established: this.#established,
        establishedDemand: this.#establishedDemand,
      },
      stored.highestLockVersion,
    );
    const { startable, resumable } = await recoverExecutions(stored, { ...this.#needs, ...parts });
    this.#draining = (await this.#needs.notes?.get(DRAINING))?.[0] === 1;
    parts.bidder.setDraining(this.#draining);
    this.#parts = parts;
    for (const { execution, resumed } of resumable) parts.supervisor.resume(execution, resumed);
    for (const execution of startable) parts.begin(execution);
    const requesters = new Set(parts.live.all().map(({ requester }) => requester));
    for (const requester of requesters) parts.reporter.changed(requester);
    parts.orphans.start(this.#options.limits.longestHeartbeatMs);
  }

  /** No new work, the end of what runs, the last word to its requesters. Needs the network, if only to be heard. */
  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined || this.#leaving) return;
    this.#leaving = true;
    parts.bidder.setDraining(true);
    parts.orphans.stop();
    await parts.supervisor.stopAll();
    await parts.reporter.farewell(this.#options.limits.farewellMs);
    await parts.settler.idle();
    this.#parts = undefined;
    parts.ledger.stop();
    await this.#behaviour.stop();
    await this.#established?.stop();
    await this.#establishedDemand.stop();
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

  async tasks(): Promise<readonly TaskLoad[]> {
    return (await this.#parts?.supervisor.tasks()) ?? [];
  }

  get price(): Asking {
    return this.#options.price;
  }

  get draining(): boolean {
    return this.#draining;
  }

  async setDraining(draining: boolean): Promise<void> {
    this.#running();
    await this.#needs.notes?.put(DRAINING, Uint8Array.of(draining ? 1 : 0));
    this.#draining = draining;
    this.#parts?.bidder.setDraining(draining);
  }

  describe(): ProviderDescription | undefined {
    if (this.#parts === undefined) return undefined;
    const { traits } = this.#needs;
    return { traits, pools: this.pools(), price: this.#options.price, draining: this.#draining };
  }

  // ---- ProviderHandler ---------------------------------------------------------------------------------

  async answer(request: Evidence<BidRequest>): Promise<Answer> {
    return this.#parts === undefined || this.#leaving
      ? { kind: 'silence', reason: 'not started' }
      : this.#parts.admissionControl.answer(request);
  }

  async lock(
    requester: string,
    request: Evidence<JobRequest>,
    asked: Asked,
  ): Promise<Evidence<Bid> | Evidence<Decline>> {
    return this.#running().bidder.lock(requester, request, asked);
  }

  async accept(
    requester: string,
    proposal: Proposal,
    asked: Asked,
  ): Promise<SignedContract | Evidence<Decline>> {
    const { contracts } = this.#running();
    // Nothing is promised: asked for the contract, this node says never.
    if (this.#leaving) throw new CodedError('STOPPING', 'The provider of this node is stopping.');
    return contracts.accept(requester, proposal, asked);
  }

  ended(requester: string, requestId: string): void {
    this.#parts?.admissionControl.ended(requester, requestId);
  }

  async contract(asker: string, contractId: string): Promise<ContractAnswer> {
    const { live, contracts } = this.#running();
    this.#questions.admit(asker, live.byContract(contractId)?.requester === asker);
    return contracts.answer(asker, contractId);
  }

  async mayRead(peer: string, cid: string, contractId: string): Promise<boolean> {
    const execution = this.#parts?.live.byContract(contractId);
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
    const { live, supervisor } = this.#running();
    const execution = live.byContract(contractId);
    if (execution?.requester !== peer)
      throw new CodedError('LOGS_DENIED', 'Only the requester of a contract may read its output.');
    const folder = supervisor.folderOf(execution.item.executionId);
    // Nothing at all would look like a program that printed nothing.
    if (folder === undefined)
      throw new CodedError('LOGS_UNAVAILABLE', 'The attempt does not run: its output is in its result.');
    yield* folder.read(stream, offset, follow, signal);
  }

  peerConnected(peer: string): void {
    this.#parts?.reporter.reachable(peer);
  }

  // ---- insides --------------------------------------------------------------------------------------

  #running(): ProviderParts {
    if (this.#parts === undefined)
      throw new CodedError('NOT_STARTED', 'The provider of this node is not running.');
    return this.#parts;
  }
}

function establishedDemandOf({ limits }: ProviderOptions, needs: ProviderNeeds): EstablishedDemand {
  const { establishedActiveMs: activeMs } = limits.strangers;
  return new EstablishedDemand({ activeMs, writeDelayMs: limits.strikes.writeDelayMs }, needs);
}

function establishedOf(
  { limits }: ProviderOptions,
  { clock, logger, notes }: ProviderNeeds,
  gate: RequesterGate,
): PeerMemory | undefined {
  if (notes === undefined) return undefined;
  return new PeerMemory(
    REGULARS,
    { most: limits.admission.rememberedEstablished, writeDelayMs: limits.strikes.writeDelayMs },
    { clock, logger, notes, onRead: (requester) => gate.kept(requester) },
  );
}
