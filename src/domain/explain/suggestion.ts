import type { Nothing, ReasonOf } from '../units/reason.ts';

/** How a job waits for room (`timeouts.queue`), where it does. */
export interface JobQueue {
  readonly forMs: number;
  /** Not for providers that take no work, nor for such as are not there. */
  readonly onlyForRoom: boolean;
  /** The job has ended: it has waited as long as it may. */
  readonly isOver: boolean;
}

/** Of a job that waits; one that does not has none. */
interface Waiting {
  readonly queue?: Pick<JobQueue, 'forMs' | 'isOver'>;
}

/** Providers by their ids: the first of many, and how many there are. */
export interface Named {
  readonly providers: readonly string[];
  readonly count: number;
}

/** A field that stands in the way as well: with its values, where a job could ask less of it. */
export interface BesideField {
  readonly field: string;
  readonly required?: string;
  readonly available?: string;
}

/** What asking less of a field is up against. */
interface Asked {
  readonly required: string;
  readonly available: string;
  /** What is in the way on the same machines as well, where that is known: none named where only its being is. */
  readonly beside?: readonly BesideField[];
}

/** A change that would help a job that nobody has taken. */
export interface Suggestions {
  readonly 'check-those-silent': Named;
  readonly 'ask-less': Asked & { readonly field: string; readonly providers: number };
  readonly 'ask-for-none': Pick<Asked, 'required' | 'beside'> & { readonly field: string };
  readonly 'pay-more': Asked;
  readonly 'pay-in-their-currency': Asked;
  readonly 'raise-budget': Nothing;
  /** `busy` providers fit by the peer table once less runs there, or `noRoom` have said that they are full. */
  readonly 'wait-for-room': Waiting & ({ readonly busy: number } | { readonly noRoom: number });
  readonly 'take-off-exclusion': Named;
  readonly 'ask-to-be-let-in': Named & { readonly self?: string };
  readonly undrain: Named & Waiting;
  readonly 'be-known-first': Nothing;
  readonly 'try-later': Waiting;
  readonly 'check-preferred': Named;
  readonly 'start-a-provider': Nothing;
}

export type Suggestion = ReasonOf<Suggestions>;

const MOST_LISTED = 16;

export function named(providers: readonly string[]): Named {
  return { providers: providers.slice(0, MOST_LISTED), count: providers.length };
}
