import type { EndReason } from '../market/end-reason.ts';
import type { PassedOver } from '../market/passed-over.ts';
import type { ExitReason } from '../program/task.ts';
import type { Nothing, ReasonOf, Told } from '../units/reason.ts';

/** What is known beside the reason for which nobody took a job. */
export interface ShortageData {
  /** Who had the work before and lost it, and how long it had it. */
  readonly lost?: { readonly provider: string; readonly afterMs: number };
  /** Networks of connected nodes that could not be asked, as this node is of another one. */
  readonly otherNetworks?: readonly string[];
  /** How long the job waited for room, where more of that would help. */
  readonly queueMs?: number;
}

/** With how many providers the job excludes. */
interface LeftOut extends ShortageData {
  readonly excluded: number;
}

/** Why nobody took what is open of a job. */
export interface ShortageReasons {
  readonly 'nobody-could': ShortageData & {
    readonly because: readonly { readonly count: number; readonly why: PassedOver }[];
  };
  readonly 'bidders-gone': ShortageData;
  readonly 'search-broken-off': ShortageData;
  readonly 'no-bid-in-time': LeftOut;
  /** The job asks only these. */
  readonly 'preferred-silent': ShortageData & { readonly providers: readonly string[] };
  readonly 'nobody-known': LeftOut;
  readonly 'nobody-reached': LeftOut & { readonly known: number; readonly fitting: number };
  readonly 'nobody-fits': LeftOut & { readonly known: number; readonly fields: readonly string[] };
}

export type Shortage = ReasonOf<ShortageReasons>;

/** Why a job is in its state. */
export interface JobReasons extends ShortageReasons, Told {
  readonly 'stopped-by-owner': Nothing;
  readonly 'job-time-over': { readonly totalMs: number };
  readonly 'job-not-planned': Nothing;
  readonly 'no-search-slot': Nothing;
  readonly 'partition-failed': {
    readonly partition: number;
    readonly exitReason: ExitReason;
    readonly exitCode?: number;
    readonly why: EndReason;
  };
  readonly 'attempts-used-up': {
    readonly partition: number;
    readonly attempts: number;
    readonly exitReason: ExitReason;
    readonly why: EndReason;
  };
}

export type JobReason = ReasonOf<JobReasons>;
