import { z } from 'zod';
import type { ExitReason } from '../../domain/task.ts';
import { FrameError } from './sandbox/frames.ts';

/** Why an attempt ended. */
export interface AttemptEnding {
  readonly exitReason: ExitReason;
  readonly exitCode?: number;
  readonly message: string;
}

/** What a child may say about its program; the other reasons are the executor's own. */
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

/** A child that ended without an `end` was ended by its runtime, whose words are all there is to go by. */
export function endingOfLost(complaint: string, how: string | number): AttemptEnding {
  if (/out of memory|allocation failed/i.test(complaint)) {
    return { exitReason: 'out-of-memory', message: 'The program used up the memory of its runtime.' };
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
