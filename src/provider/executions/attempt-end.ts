import type { ServingItem } from '../../domain/market/serving.ts';
import { type ExitReason, exitReasons } from '../../domain/program/task.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { AttemptResult } from './attempt.ts';

/** Why an attempt was told to stop, where that was not the program's doing. */
export interface StopReason {
  readonly exitReason: ExitReason;
  readonly message: string;
}

/** What is written down of an attempt that is over. */
export type End = Pick<
  ServingItem,
  'state' | 'exitReason' | 'exitCode' | 'message' | 'resultCid' | 'resultBytes' | 'usage'
>;

export function endOf({ outcome, resultCid, resultBytes }: AttemptResult, stop: StopReason | undefined): End {
  const stopped = outcome.exitReason === 'cancelled' ? stop : undefined;
  const exitReason = stopped?.exitReason ?? outcome.exitReason;
  return {
    state: stateAfter(exitReason),
    exitReason,
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    message: stopped?.message ?? outcome.message,
    resultCid,
    resultBytes,
    usage: outcome.usage,
  };
}

/** Of an attempt that came to no result. */
export function failureOf(error: unknown, stop: StopReason | undefined): End {
  const reason = stop ?? { exitReason: exitReasonOf(error), message: messageOf(error) };
  return { ...reason, state: stateAfter(reason.exitReason) };
}

function exitReasonOf(error: unknown): ExitReason {
  if (codeOf(error) === 'INPUT_UNAVAILABLE') return 'input-unavailable';
  const named = error instanceof CodedError && error.code === 'TASK_NOT_STARTED' ? error.data : {};
  return exitReasons.find((reason) => reason === named['exitReason']) ?? 'internal';
}

function stateAfter(exitReason: ExitReason): End['state'] {
  if (exitReason === 'completed') return 'Publishing';
  return exitReason === 'cancelled' ? 'Cancelled' : 'Failed';
}
