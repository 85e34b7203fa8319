import pico from 'picocolors';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { CliEnvironment } from '../environment.ts';

/** Where a command writes: results to standard output, everything else to standard error. */
export class Output {
  readonly json: boolean;
  readonly #environment: Pick<CliEnvironment, 'stdout' | 'stderr' | 'env'>;

  constructor(environment: Pick<CliEnvironment, 'stdout' | 'stderr' | 'env'>, json: boolean) {
    this.#environment = environment;
    this.json = json;
  }

  /** True when a person watches standard output. */
  get interactive(): boolean {
    return !this.json && this.#environment.stdout.isTTY;
  }

  /** True when a person watches what goes on. */
  get live(): boolean {
    return !this.json && this.#environment.stderr.isTTY;
  }

  get colors(): ReturnType<typeof pico.createColors> {
    return pico.createColors(this.live && this.#environment.env['NO_COLOR'] === undefined);
  }

  /** The machine's answer as one line, or what `people` makes of it. */
  async result(value: unknown, people: () => string): Promise<void> {
    await this.#environment.stdout.write(`${this.json ? JSON.stringify(value) : people()}\n`);
  }

  async bytes(chunk: Uint8Array): Promise<void> {
    await this.#environment.stdout.write(chunk);
  }

  async errorBytes(chunk: Uint8Array): Promise<void> {
    if (!this.json) await this.#environment.stderr.write(chunk);
  }

  /** A line about what goes on; nothing for machines. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.#environment.stderr.write(`${text}\n`);
  }

  async raw(text: string): Promise<void> {
    if (!this.json) await this.#environment.stderr.write(text);
  }

  /** Why the command failed, with its code and, in the sentence, the next step. */
  async failure(error: unknown): Promise<void> {
    const code = codeOf(error) ?? 'INTERNAL';
    const message = messageOf(error);
    const errors = error instanceof CodedError ? error.data['errors'] : undefined;
    const text = this.json
      ? JSON.stringify({ error: { code, message, ...(errors === undefined ? {} : { errors }) } })
      : `${this.colors.red('error')} ${code}: ${message}`;
    await this.#environment.stderr.write(`${text}\n`);
  }
}
