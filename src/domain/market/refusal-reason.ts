import type { Nothing, ReasonOf } from '../units/reason.ts';

/** What was asked for and what there is, as texts with their units. */
interface AskedAndThere {
  readonly required: string;
  readonly available: string;
}

/** Why a provider refuses a request, a lock or a contract. */
export interface RefusalReasons {
  readonly draining: Nothing;
  readonly 'requester-not-served': Nothing;
  readonly 'not-verified': { readonly text: string };
  readonly 'too-many-executions': Nothing;
  readonly 'too-many-negotiations': Nothing;
  readonly 'too-many-requests': { readonly of: 'requester' | 'strangers' };
  readonly 'too-many-unbegun': Nothing;
  readonly 'too-many-unsettled': Nothing;
  readonly 'timeout-too-long': Nothing;
  readonly 'other-currency-taken': Nothing;
  readonly 'over-budget': Nothing;
  readonly 'fits-less-well': Nothing;
  readonly 'does-not-fit': Nothing;
  /** The first field of the request that this machine does not meet. */
  readonly 'field-not-met': AskedAndThere & { readonly field: string };
  /** It was there when it was bid. */
  readonly 'taken-meanwhile': { readonly why: RefusalReason };
  /** There is room, and the rest is for requesters that the provider has worked for. */
  readonly 'kept-for-established': { readonly why: RefusalReason };
  readonly 'strangers-content-full': AskedAndThere;
  readonly 'inputs-over-quota': AskedAndThere;
  readonly 'content-full': AskedAndThere;
  readonly 'disk-full': AskedAndThere;
  /** `error`: what the disk said. */
  readonly 'disk-takes-no-writes': { readonly error: string };
  readonly 'no-place-left': Nothing;
  readonly 'bid-expired': Nothing;
  readonly 'accepted-too-late': Nothing;
  readonly 'contract-given-up': Nothing;
  readonly 'contract-exists': Nothing;
  readonly 'lock-expired': Nothing;
  readonly 'lock-not-held': Nothing;
  readonly 'inputs-too-large': Nothing;
  readonly 'terms-too-long': Nothing;
  /** Something of a proposal is not what it should be: each by what it is. */
  readonly 'not-by-its-signer': Nothing;
  readonly 'of-another-provider': Nothing;
  readonly 'of-another-job': Nothing;
  readonly 'of-another-execution': Nothing;
  readonly 'of-another-partition': Nothing;
  readonly 'of-another-invocation': Nothing;
  readonly 'price-not-as-bid': Nothing;
  readonly 'resources-not-as-asked': Nothing;
  readonly 'times-over-bid': Nothing;
  readonly 'engine-not-as-asked': Nothing;
  /** What could not be run; `fault` says what is wrong with it. */
  readonly 'program-not-right': { readonly place: string; readonly fault: string };
  /** Signed: this contract was not accepted here and never will be. */
  readonly 'never-accepted': Nothing;
}

export type RefusalReason = ReasonOf<RefusalReasons>;
