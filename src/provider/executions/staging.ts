import type { ContractTerms } from '../../domain/market/contract.ts';
import { type ContentRef, contentRefsOf } from '../../domain/program/task.ts';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { ProviderContent, ProviderExecution } from '../ports.ts';
import type { BringingWatch } from './bringing.ts';

/** Codes of a requester that is away, or came back and is not ready: what it can mend. */
const MENDABLE: ReadonlySet<string | undefined> = new Set(['CONTENT_UNAVAILABLE', 'PEER_UNREACHABLE']);
/** A requester that is there and says no is believed after so many times. */
const MOST_REFUSALS = 5;
const REFUSALS: ReadonlySet<unknown> = new Set(['CONTENT_UNAVAILABLE', 'CONTENT_DENIED']);
const FETCH_AGAIN: BackoffOptions = { firstMs: 200, longestMs: 5000, factor: 2 };

/** A requester that is away may come back: how long it has is said by {@link BringingWatch}, which aborts `signal`. */
async function retried(
  { clock, chance }: Pick<StagingNeeds, 'clock' | 'chance'>,
  signal: AbortSignal,
  fetch: () => Promise<unknown>,
): Promise<void> {
  let refusals = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetch();
      return;
    } catch (error) {
      if (signal.aborted || !MENDABLE.has(codeOf(error))) throw error;
      if (error instanceof CodedError && REFUSALS.has(error.data['cause'])) refusals += 1;
      if (refusals >= MOST_REFUSALS) throw error;
    }
    await sleep(clock, backoffMs(FETCH_AGAIN, attempt, chance), signal);
  }
}

/** What a fetch ends with where the requester or what it sent is at fault; all else is this machine's. */
const THEIR_FAULTS: ReadonlySet<string | undefined> = new Set([
  ...MENDABLE,
  'CONTENT_DENIED',
  'CONTENT_INVALID',
  'CONTENT_TOO_LARGE',
]);

/** The disk refused a write, or a quota of this node is used up: nothing that a job has done or could do. */
export function writeRefusal(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === 'NO_ROOM' && error instanceof CodedError) return writeRefusal(error.cause);
  const named = error instanceof CodedError ? error.data['cause'] : undefined;
  if (code === 'STORE_FAILED' || code === 'DISK_FULL') return typeof named === 'string' ? named : code;
  return code !== undefined && DISK_ERRORS.has(code) ? code : undefined;
}

const DISK_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

export interface StagingNeeds {
  readonly content: ProviderContent;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly watch: Pick<BringingWatch, 'tries' | 'took' | 'isHere'>;
}

/**
 * Brings everything the invocation names onto this machine. Throws `INPUT_UNAVAILABLE`, and `NO_ROOM` where it could be
 * had and could not be kept.
 */
export async function stageInputs(
  execution: ProviderExecution,
  terms: ContractTerms,
  maxInputBytes: number,
  { content, clock, chance, watch }: StagingNeeds,
  signal: AbortSignal,
): Promise<void> {
  let leftBytes = maxInputBytes;
  for (const { cid, size } of contentOf(execution)) {
    signal.throwIfAborted();
    if (size > leftBytes) {
      throw new CodedError(
        'NO_ROOM',
        `The inputs are larger than the ${maxInputBytes} bytes this node takes.`,
      );
    }
    leftBytes -= size;
    try {
      const { contractId } = execution.item;
      const from = { peer: execution.requester, peerRecord: terms.requesterRecord, contractId };
      await retried({ clock, chance }, signal, () => {
        watch.tries();
        return content.fetch(cid, from, size, signal, (bytes) => watch.took(bytes));
      });
      watch.isHere();
    } catch (cause) {
      signal.throwIfAborted();
      if (!THEIR_FAULTS.has(codeOf(cause))) throw notKept(cid, cause);
      throw new CodedError(
        'INPUT_UNAVAILABLE',
        `The input ${cid} could not be fetched: ${messageOf(cause)}`,
        { cause },
      );
    }
    await content.pin(cid, execution.item.contractId).catch((cause: unknown) => {
      throw notKept(cid, cause);
    });
  }
}

function notKept(cid: string, cause: unknown): CodedError {
  const message = `This provider could not keep the input ${cid}: ${messageOf(cause)}`;
  return new CodedError('NO_ROOM', message, { cause });
}

function contentOf(execution: ProviderExecution): readonly ContentRef[] {
  return contentRefsOf(execution.invocation.engine, execution.invocation.inputs);
}
