import { CodedError } from './coded-error.ts';

/** Stops on a broken invariant: a programming fault, never bad input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CodedError('ASSERTION', message);
}
