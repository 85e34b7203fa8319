import type { BidRequest, JobRequest } from '../../../src/domain/market/bid.ts';
import type { ContractAnswer, Proposal } from '../../../src/domain/market/contract.ts';
import type { Evidence } from '../../../src/domain/market/evidence.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import type {
  Market,
  Negotiation,
  OpenRequest,
  RequestTarget,
  SearchListener,
} from '../../../src/orchestrator/ports.ts';
import { REQUESTER } from './market.ts';

/** A negotiation whose answers the test gives. */
export class ScriptedNegotiation implements Negotiation {
  readonly provider: string;
  readonly asked: JobRequest[] = [];
  readonly proposals: Proposal[] = [];
  open = true;
  lock: Negotiation['requestLock'] = () => Promise.reject(new CodedError('NEGOTIATION_LOST', 'gone'));
  answer: Negotiation['propose'] = () => Promise.reject(new CodedError('NEGOTIATION_LOST', 'gone'));

  constructor(provider: string) {
    this.provider = provider;
  }

  requestLock(request: JobRequest, timeoutMs: number): ReturnType<Negotiation['requestLock']> {
    this.asked.push(request);
    return this.lock(request, timeoutMs);
  }

  propose(proposal: Proposal, timeoutMs: number): ReturnType<Negotiation['propose']> {
    this.proposals.push(proposal);
    return this.answer(proposal, timeoutMs);
  }

  close(): void {
    this.open = false;
  }
}

/** A market without a network: what is published is kept, and the test plays the audience. */
export class ScriptedMarket implements Market {
  readonly self = REQUESTER;
  readonly published: {
    readonly request: BidRequest;
    readonly listener: SearchListener;
    readonly targets: readonly RequestTarget[] | undefined;
  }[] = [];
  readonly closedRequests: string[] = [];
  readonly askedFor: string[] = [];
  hearers = new Set(['a', 'b']);
  networksElsewhere: readonly string[] = [];
  readonly roundTrips = new Map<string, number>();
  publishFails: Error | undefined;
  contract: (contractId: string) => Promise<ContractAnswer> = () =>
    Promise.reject(new CodedError('PEER_UNREACHABLE', 'not there'));

  peerRecord(): Uint8Array {
    return Uint8Array.of(1);
  }

  audience(): readonly string[] {
    return [...this.hearers];
  }

  otherNetworks(): readonly string[] {
    return this.networksElsewhere;
  }

  roundTripMs(peer: string): number | undefined {
    return this.roundTrips.get(peer);
  }

  openRequest(
    { value: request }: Evidence<BidRequest>,
    listener: SearchListener,
    targets?: readonly RequestTarget[],
  ): OpenRequest {
    if (this.publishFails !== undefined) throw this.publishFails;
    this.published.push({ request, listener, targets });
    return {
      audience: () => new Set(this.hearers),
      close: () => void this.closedRequests.push(request.requestId),
    };
  }

  askContract(contractId: string): Promise<ContractAnswer> {
    this.askedFor.push(contractId);
    return this.contract(contractId);
  }

  closed(): void {}
}
