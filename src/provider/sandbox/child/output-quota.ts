import type { SandboxEnd } from './sandbox-task.ts';

/** Ends the program for good: reports the end and never returns to the program. */
export type EndProgram = (end: Omit<SandboxEnd, 'cpuMs'>) => never;

/** Counts what the program prints and keeps, as it happens. Passing a limit ends the program on the spot. */
export class OutputQuota {
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  readonly #end: EndProgram;
  #bytes = 0;
  #entries = 0;

  constructor(limits: { readonly outputBytes: number; readonly outputFiles: number }, end: EndProgram) {
    this.#maxBytes = limits.outputBytes;
    this.#maxEntries = limits.outputFiles;
    this.#end = end;
  }

  /** Bytes that were printed or that a file grew by; negative where one shrank. */
  addBytes(count: number): void {
    if (this.#bytes + count > this.#maxBytes) {
      this.#end({
        exitReason: 'output-limit',
        message: `The program printed and wrote more than ${this.#maxBytes} bytes.`,
      });
    }
    this.#bytes += count;
  }

  addEntries(count: 1 | -1): void {
    if (this.#entries + count > this.#maxEntries) {
      this.#end({
        exitReason: 'output-limit',
        message: `The program made more than ${this.#maxEntries} files and folders.`,
      });
    }
    this.#entries += count;
  }
}
