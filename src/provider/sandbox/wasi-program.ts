import type { Task } from '../task-driver.ts';

/** A WASI preview 1 command, with what it is given in the place of what its task says. */
export interface WasiProgram extends Pick<Task, 'args' | 'env' | 'inputs'> {
  readonly modulePath: string;
  /** Of the Node that runs it. */
  readonly nodeFlags: readonly string[];
  /** What the child may take beside the memory of the program. */
  readonly runtimeMemoryBytes: number;
}
