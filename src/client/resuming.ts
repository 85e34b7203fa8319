import { backoffMs } from '../lib/backoff.ts';
import { type Chance, systemChance } from '../lib/chance.ts';
import { sleep, type Timers } from '../lib/clock.ts';
import { CodedError, codeOf } from '../lib/coded-error.ts';

const RECONNECT = { firstMs: 200, longestMs: 3000, factor: 2 };
/** In a row: a node that is restarted is back within that time. */
const MOST_FAILURES = 8;

export interface Resuming {
  readonly timers: Timers;
  readonly chance?: Chance;
  readonly signal: AbortSignal | undefined;
  /** Called with the first failure after something came. */
  readonly onBroken?: (() => Promise<void>) | undefined;
  /** Whether a failure may pass; else it is thrown at once. */
  readonly mayPass?: (error: unknown) => boolean;
  /** What to say when it is given up. */
  readonly givenUp: (cause: unknown) => Error;
}

/**
 * A stream that is taken up again where it broke off: `open` reads on from where the reader is. Ends when `open`
 * returns true, or when `signal` is aborted; gives up after several failures in a row.
 */
export async function* resuming<Item>(
  { timers, chance = systemChance, signal, onBroken, mayPass = isPassing, givenUp }: Resuming,
  open: () => AsyncGenerator<Item, boolean>,
): AsyncGenerator<Item> {
  const aborted = (): boolean => signal?.aborted === true;
  let failures = 0;
  let cause: unknown;
  for (;;) {
    try {
      const items = open();
      try {
        for (let step = await items.next(); ; step = await items.next()) {
          if (step.done === true) {
            if (step.value) return;
            break;
          }
          failures = 0;
          yield step.value;
        }
      } finally {
        // Whoever reads no further lets the connection go.
        await items.return(true);
      }
    } catch (error) {
      if (aborted()) return;
      if (!mayPass(error)) throw error;
      cause = error;
    }
    if (aborted()) return;
    failures += 1;
    if (failures > MOST_FAILURES) throw givenUp(cause);
    if (failures === 1) await onBroken?.();
    await sleep(timers, backoffMs(RECONNECT, failures, chance), signal).catch(() => undefined);
    if (aborted()) return;
  }
}

const PASSING: ReadonlySet<string> = new Set(['API_UNREACHABLE', 'STOPPING', 'STREAM_SILENT']);

/** A node that answers with a refusal will not answer otherwise the next time. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof CodedError) || PASSING.has(codeOf(error) ?? '');
}
