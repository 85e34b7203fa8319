import { type Clock, patient } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { findBubblewrap } from './bubblewrap.ts';
import { prepareSandboxCode } from './code.ts';
import type { SandboxSettings, WatchdogOptions } from './sandbox-run.ts';

const DEFAULT_WATCHDOG: WatchdogOptions = {
  intervalMs: 250,
  startTimeoutMs: 20_000,
  collectTimeoutMs: 120_000,
};

export interface SandboxOptions {
  /** The Node that runs the children. */
  readonly nodePath: string;
  /** Like `PATH`; `bwrap` is looked for there. */
  readonly searchPath: string;
  readonly useBubblewrap: 'auto' | 'never';
  readonly clock: Clock;
  readonly random: Random;
  readonly watchdog?: Partial<WatchdogOptions>;
}

/** Where WASI programs run on this machine, whichever engine they are of. */
export interface Sandbox {
  /** Everything that all children have in common; looked for once, when it is first asked for. */
  prepared(): Promise<SandboxSettings>;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { clock, random, nodePath } = options;
  // Programs that are only looked at run beside a start that keeps this process busy.
  const patience = patient(clock);
  const watchdog = { ...DEFAULT_WATCHDOG, ...options.watchdog };
  let prepared: Promise<SandboxSettings> | undefined;
  return {
    prepared: () => {
      prepared ??= Promise.all([
        options.useBubblewrap === 'never'
          ? undefined
          : findBubblewrap(patience, options.searchPath, nodePath),
        prepareSandboxCode(patience, nodePath),
      ]).then(([bubblewrapPath, code]) => ({ clock, random, nodePath, watchdog, bubblewrapPath, code }));
      // What failed once, on a busy machine, may work the next time.
      prepared.catch(() => {
        prepared = undefined;
      });
      return prepared;
    },
  };
}
