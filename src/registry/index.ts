import type { Advert, AdvertContent } from '../domain/market/advert.ts';
import type { SeenFits } from '../domain/ranking/answering.ts';
import type { Requirements } from '../domain/matching/requirements.ts';
import type { Notary } from '../domain/market/evidence.ts';
import type { Price } from '../domain/units/money.ts';
import type { AskingOutcome, Patience, Strangers } from '../domain/trust/stranger-turnout.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { Startable } from '../lib/startable.ts';
import type { RegistryOptions } from './options.ts';
import type { AdvertHandler, AdvertPublisher, AdvertStore } from './ports.ts';
import type { AdvertCandidate, TableExplanation } from './questions.ts';
import { RegistryService } from './registry-service.ts';

export type { AdvertCandidate, TableExplanation } from './questions.ts';

/** Everything a registry needs from outside. */
export interface RegistryNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly self: string;
  readonly store: AdvertStore;
  readonly publisher: AdvertPublisher;
  readonly notary: Notary;
  /** What this node's provider has right now; left out on a node without one, `undefined` while it cannot say. */
  readonly describe?: () => AdvertContent | undefined;
  /** Another provider has said that it has more room than before. */
  readonly onMoreRoom?: (provider: string) => void;
}

/** One line of the peer table. */
export interface PeerEntry {
  readonly peerId: string;
  readonly advert: Advert;
  /** Lived times. */
  readonly receivedAt: number;
  readonly expiresAt: number;
}

export interface ExplainOptions {
  readonly exclude?: readonly string[];
  /** Providers over it, and those that are priced in another currency, do not fit. */
  readonly budget?: Price;
}

export interface IndirectProviders {
  /** Those that fit, by their adverts, and are not known to be out of reach. */
  readonly fitting: readonly string[];
  /** There may be others: out of this node's reach, or not heard of yet. */
  readonly mayBeMore: boolean;
}

export interface CandidateOptions extends ExplainOptions {
  readonly limit: number;
}

/**
 * The peer table: who provides what, by the signed adverts of the network. Everything in it may be old; who is chosen
 * from it is still asked. Started after the network and stopped before it, it takes leave when it stops.
 */
export interface Registry extends Startable {
  readonly handler: AdvertHandler;
  /** Other providers, by peer id. */
  peers(): readonly PeerEntry[];
  peer(peerId: string): PeerEntry | undefined;
  /** How many providers the network has, about, this node's own included. Cheap. */
  sizeEstimate(): number;
  /** Providers to ask directly, this node's own included: those that fit first, the best of them before the others. */
  candidates(requirements: Requirements, options: CandidateOptions): readonly AdvertCandidate[];
  /** Of a bounded sample of the providers: how well they fit, by their adverts. */
  fits(requirements: Requirements, options?: ExplainOptions): SeenFits;
  /** Providers that hear this node only through others, as there is no connection. */
  indirect(requirements: Requirements, options?: ExplainOptions): IndirectProviders;
  /** Providers to ask by name, the best known first: this node has been in touch with them. Never itself. */
  acquainted(requirements: Requirements, options: CandidateOptions): readonly string[];
  strangers(): Strangers;
  /** A provider has answered a request of this node; `came`: it was not connected when it was asked. */
  answered(peer: string, came: boolean): void;
  /** A provider has kept a contract. */
  kept(peer: string): void;
  /** A provider did not answer when it was taken at its word. */
  broke(peer: string): void;
  hasKept(peer: string): boolean;
  taken(peer: string): void;
  isOnTrial(peer: string): boolean;
  /** Of the providers that have kept no contract yet, too many broke their word lately. */
  isWary(): boolean;
  patienceWith(peer: string): Patience;
  /** A request of this node is off the air. */
  asked(outcome: AskingOutcome): void;
  /** Why providers fit or not, by their adverts. */
  explain(requirements: Requirements, options?: ExplainOptions): TableExplanation;
  /** This node's own provider has room again that it had refused to somebody. */
  roomFreed(): void;
  /** What happened so often since the start, by name. */
  counters(): Readonly<Record<string, number>>;
}

export function createRegistry(options: RegistryOptions, needs: RegistryNeeds): Registry {
  return new RegistryService(options, needs);
}
