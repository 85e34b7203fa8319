import type { Logger } from '../../lib/logger.ts';
import type { Database, Operation } from '../database.ts';
import type { Repository } from '../records.ts';

export interface MigrationNeeds {
  readonly database: Database;
  /** Where the files of content are; undefined for a database that was handed in and has no files beside it. */
  readonly contentFolder: string | undefined;
  readonly logger: Logger;
}

/**
 * One step of the store's form. It may be cut off anywhere and is then done again from its beginning, so what it
 * writes depends only on what was there in the format before.
 */
export interface Migration {
  /** The format that a store has behind this step; the step before it made the format before. */
  readonly format: number;
  /** What it does, for the log. */
  readonly what: string;
  /** Batches to be written one after the other. */
  steps(needs: MigrationNeeds): AsyncIterable<readonly Operation[]>;
  /** Takes away what nobody reads any more. Done at every start, as a crash may come before it. */
  leftovers?(needs: MigrationNeeds): Promise<void>;
}

const OPERATIONS_PER_STEP = 500;
const BYTES_PER_STEP = 4 * 1024 * 1024;

/** Operations in steps of a bounded size. */
export async function* inSteps(
  operations: Iterable<Operation> | AsyncIterable<Operation>,
): AsyncGenerator<readonly Operation[]> {
  let step: Operation[] = [];
  let bytes = 0;
  for await (const operation of operations) {
    step.push(operation);
    bytes += operation.type === 'put' ? operation.value.length : 0;
    if (step.length < OPERATIONS_PER_STEP && bytes < BYTES_PER_STEP) continue;
    yield step;
    step = [];
    bytes = 0;
  }
  if (step.length > 0) yield step;
}

/** Those records of a bucket that `change` does not give back as they were. What cannot be read stays as it is. */
export async function* rewritten<Value>(
  records: Repository<Value>,
  change: (value: Value) => Value,
): AsyncGenerator<Operation> {
  for await (const before of records.values()) {
    const after = change(before);
    if (after !== before) yield records.put(after);
  }
}
