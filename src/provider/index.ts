import type { StrikeStore } from '../domain/trust/behaviour-history.ts';
import type { NodeTraits, Pools } from '../domain/matching/capability.ts';
import type { Notary } from '../domain/market/evidence.ts';
import type { Lease } from '../domain/market/lock.ts';
import type { RefusalReason } from '../domain/market/refusal-reason.ts';
import type { Asking } from '../domain/units/rate-card.ts';
import type { NodeNotes } from '../domain/trust/peer-memory.ts';
import type { Resources } from '../domain/units/resources.ts';
import type { Calendar } from '../lib/calendar.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { Startable } from '../lib/startable.ts';
import type { TaskDriver, TaskLoad } from './task-driver.ts';
import type { ProviderOptions } from './options.ts';
import type {
  AttemptFolders,
  CounterpartCheck,
  DiskGauge,
  ProviderContent,
  ProviderHandler,
  ProviderStore,
  RequesterLink,
} from './ports.ts';
import { ProviderService } from './provider-service.ts';

/** Everything a provider needs from outside. */
export interface ProviderNeeds {
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly random: Random;
  readonly logger: Logger;
  readonly notary: Notary;
  /** How requesters are told a no in words. */
  readonly refusalSentence: (why: RefusalReason) => string;
  readonly store: ProviderStore;
  readonly strikes: StrikeStore;
  /** Without it a restart makes strangers of established requesters. */
  readonly notes?: NodeNotes;
  readonly link: RequesterLink;
  readonly content: ProviderContent;
  readonly folders: AttemptFolders;
  readonly disk: DiskGauge;
  readonly drivers: readonly TaskDriver[];
  readonly check: CounterpartCheck;
  readonly traits: NodeTraits;
  readonly machine: Resources;
  readonly onboarded: Resources;
  /** There is room again, after somebody was refused for want of it. */
  readonly onRoomFreed?: () => void;
}

/** What a provider says of itself to everybody. */
export interface ProviderDescription {
  readonly traits: NodeTraits;
  readonly pools: Pools;
  readonly price: Asking;
  readonly draining: boolean;
}

/** The provider of one node: bids, locks, contracts and the work itself. */
export interface Provider extends Startable {
  readonly handler: ProviderHandler;
  pools(): Pools;
  leases(): readonly Lease[];
  /** What the tasks that run here now take. */
  tasks(): Promise<readonly TaskLoad[]>;
  readonly price: Asking;
  readonly draining: boolean;
  /** Takes no new work, or takes it again; what runs goes on. Resolves when a restart would know it too. */
  setDraining(draining: boolean): Promise<void>;
  /** What there is to advertise; undefined while it is not running. */
  describe(): ProviderDescription | undefined;
}

export function createProvider(options: ProviderOptions, needs: ProviderNeeds): Provider {
  return new ProviderService(options, needs);
}
