import type { ExitReason } from '../program/task.ts';

/** One execution as its provider sees it: a line of the serving list. */
export interface ServingItem {
  readonly executionId: string;
  readonly contractId: string;
  readonly attempt: number;
  /** Grows with every change of this execution; an older one never replaces a newer one. */
  readonly sequence: number;
  readonly state: 'BidAccepted' | 'Running' | 'Publishing' | 'Failed' | 'Cancelled';
  /** Lived times of the provider; on their way they are its wall times. Nobody else counts from either of them. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  readonly exitReason?: ExitReason;
  readonly message?: string;
  /** UnixFS directory: `stdout`, `stderr`, `exit.json` and one folder per output under `outputs/`. */
  readonly resultCid?: string;
  readonly resultBytes?: number;
  readonly usage?: { readonly wallClockMs: number; readonly cpuMs: number };
}

/**
 * Everything a provider holds for one requester. It is heartbeat, status, late cancel, restart recovery and
 * fencing in one: what is not on the list, the provider does not hold.
 */
export interface ServingList {
  readonly number: number;
  readonly items: readonly ServingItem[];
}

/** `run`: go on. `stop`: end it, it is not wanted (any more). `done`: the result is safe here, forget it. */
export type Desired = 'run' | 'stop' | 'done';

export interface ServingAnswer {
  readonly number: number;
  readonly desired: readonly {
    readonly executionId: string;
    readonly attempt: number;
    readonly desired: Desired;
  }[];
}
