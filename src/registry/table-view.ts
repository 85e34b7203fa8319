import { type AdvertQuery, compareAdvert } from '../domain/market/advert-matching.ts';
import type { SeenFits } from '../domain/ranking/answering.ts';
import type { Requirements } from '../domain/matching/requirements.ts';
import type { Clock } from '../lib/clock.ts';
import type { Acquaintances } from './acquaintances.ts';
import type { CandidateOptions, ExplainOptions, IndirectProviders } from './index.ts';
import type { RegistryLimits } from './options.ts';
import type { AskableProvider, PeerRow, PeerTable } from './peer-table.ts';
import type { ProviderStanding } from './provider-standing.ts';
import {
  acquaintedOf,
  type AdvertCandidate,
  candidatesOf,
  explanationOf,
  fitsOf,
  type JudgedProviders,
  type TableExplanation,
} from './questions.ts';

/** Asked with every search: enough to tell a tenth of the network from the rest. */
const FITS_COMPARED = 512;

export interface TableViewNeeds {
  readonly clock: Clock;
  readonly table: PeerTable;
  readonly standing: ProviderStanding;
  readonly acquaintances: Acquaintances;
  /** This node's own provider, where it may serve its own jobs. */
  readonly ownRow: () => AskableProvider | undefined;
}

/** The peer table as those see it who look for providers. */
export class TableView {
  readonly #limits: RegistryLimits;
  readonly #needs: TableViewNeeds;

  constructor(limits: RegistryLimits, needs: TableViewNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** What is believed now, the freshest first. */
  rows(): readonly PeerRow[] {
    return this.#needs.table.rows().filter((row) => this.#isLive(row));
  }

  row(peer: string): PeerRow | undefined {
    const row = this.#needs.table.get(peer);
    return row !== undefined && this.#isLive(row) ? row : undefined;
  }

  acquainted(requirements: Requirements, options: CandidateOptions): readonly string[] {
    const excluded = new Set(options.exclude);
    const { standing } = this.#needs;
    const seen = this.rows().filter(({ peer }) => standing.isSeen(peer) && !excluded.has(peer));
    return acquaintedOf(seen, (peer) => standing.touchOf(peer), queryOf(requirements, options), {
      limit: options.limit,
      compared: this.#limits.comparedPerCall,
    });
  }

  candidates(requirements: Requirements, options: CandidateOptions): readonly AdvertCandidate[] {
    return candidatesOf(this.#judged(options.exclude), queryOf(requirements, options), {
      limit: options.limit,
      compared: this.#limits.comparedPerCall,
    });
  }

  fits(requirements: Requirements, options: ExplainOptions = {}): SeenFits {
    return fitsOf(this.#judged(options.exclude), queryOf(requirements, options), {
      compared: Math.min(FITS_COMPARED, this.#limits.comparedPerCall),
    });
  }

  indirect(requirements: Requirements, options: ExplainOptions = {}): IndirectProviders {
    const { acquaintances, standing } = this.#needs;
    const query = queryOf(requirements, options);
    const { seen, strangers } = this.#judged(options.exclude);
    const peers = [...seen, ...strangers]
      .filter(({ peer }) => acquaintances.isIndirect(peer) && standing.isWorthWaiting(peer))
      .slice(0, this.#limits.meetUpTo)
      .filter((row) => compareAdvert(query, row).hardOk)
      .map(({ peer }) => peer);
    const near = peers.filter((peer) => !acquaintances.isOutOfReach(peer));
    const known = near.filter((peer) => standing.isSeen(peer));
    const { mayHaveMissedSome } = acquaintances;
    // One who has just come is waited for; a crowd that nobody has met yet is none of a small network.
    const isCrowd = !mayHaveMissedSome && near.length - known.length > this.#limits.strangersWaitedFor;
    const fitting = isCrowd ? known : near;
    return { fitting, mayBeMore: fitting.length < peers.length || mayHaveMissedSome };
  }

  explain(requirements: Requirements, options: ExplainOptions = {}): TableExplanation {
    const { seen, strangers } = this.#judged();
    return explanationOf([...seen, ...strangers], queryOf(requirements, options), {
      compared: this.#limits.comparedPerCall,
      excluded: options.exclude ?? [],
    });
  }

  #isLive(row: PeerRow): boolean {
    return row.deadlineMs > this.#needs.clock.monotonicMs();
  }

  /**
   * This node first, as it is now: it is the best known of all. Adverts of strangers say nothing while as many as they
   * speak of should have answered and did not.
   */
  #judged(exclude: readonly string[] = []): JudgedProviders {
    const { standing, ownRow } = this.#needs;
    const excluded = new Set(exclude);
    const own = ownRow();
    const seen: AskableProvider[] = own === undefined || excluded.has(own.peer) ? [] : [own];
    const strangers: AskableProvider[] = [];
    for (const row of this.rows()) {
      if (excluded.has(row.peer)) continue;
      if (standing.isSeen(row.peer)) seen.push(row);
      else strangers.push(row);
    }
    return { seen, strangers: standing.areStrangersSilent ? [] : strangers };
  }
}

function queryOf(requirements: Requirements, { budget }: ExplainOptions): AdvertQuery {
  return { requirements, ...(budget === undefined ? {} : { budget }) };
}
