import { CodedError } from './coded-error.ts';

/** Stops on a broken invariant: a programming fault, never bad input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CodedError('ASSERTION', message);
}

/** Makes the compiler prove that a switch covers every case. */
export function unreachable(value: never): never {
  throw new CodedError('ASSERTION', `unreachable value: ${JSON.stringify(value)}`);
}
