import { constants } from 'node:os';
import { z } from 'zod';
import type { ExitReason } from '../../domain/program/task.ts';
import { FrameError } from './child/frames.ts';

/** A shell's way, and bubblewrap's, to say that a signal ended a process. */
const SIGNAL_EXIT = 128;

/** Why an attempt ended. */
export interface AttemptEnding {
  readonly exitReason: ExitReason;
  readonly exitCode?: number;
  readonly message: string;
}

/** What a child may say about its program; the other reasons are the node's own. */
const endSchema = z.strictObject({
  exitReason: z.enum([
    'completed',
    'exit-code',
    'trap',
    'invalid-module',
    'out-of-memory',
    'output-limit',
    'input-unavailable',
  ]),
  exitCode: z.int().min(0).max(0xffff_ffff).optional(),
  message: z.string().max(4096),
  cpuMs: z.int().nonnegative(),
});

/** Reads the payload of an `end` frame; throws a {@link FrameError} where it makes no sense. */
export function parseEnd(payload: Uint8Array): { ending: AttemptEnding; cpuMs: number } {
  const parsed = endSchema.safeParse(parseJson(payload));
  if (!parsed.success) throw new FrameError('The end makes no sense.');
  const { cpuMs, exitCode, ...ending } = parsed.data;
  return { ending: exitCode === undefined ? ending : { ...ending, exitCode }, cpuMs };
}

/** What ends a process for what it did itself; nobody else sends these. Bubblewrap tells them as an exit code. */
const CRASHES: ReadonlySet<string | number> = new Set(
  (['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGSYS'] as const).flatMap((signal) => [
    signal,
    SIGNAL_EXIT + constants.signals[signal],
  ]),
);

/**
 * A child that ended without an `end` was ended by its runtime, whose words are all there is to go by. What brings a
 * runtime down while a program runs in it is the program: that is no fault of this node.
 */
export function endingOfLost(complaint: string, how: string | number, started: boolean): AttemptEnding {
  if (/out of memory|allocation failed/i.test(complaint)) {
    return { exitReason: 'out-of-memory', message: 'The program used up the memory of its runtime.' };
  }
  if (started && CRASHES.has(how)) {
    return { exitReason: 'trap', message: `The program brought its runtime down (${how}).` };
  }
  const firstLine = complaint.split('\n').find((line) => line.trim() !== '');
  return { exitReason: 'internal', message: `The sandbox ended (${how}): ${firstLine ?? 'it said nothing'}` };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
}
