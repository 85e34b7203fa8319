import pico from 'picocolors';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { CliEnvironment, OutputStream } from '../environment.ts';
import { VisibleBytes, visibleText } from './visible-text.ts';

/** Where a command writes: results to standard output, everything else to standard error. */
export class Output {
  readonly json: boolean;
  readonly #environment: Pick<CliEnvironment, 'stdout' | 'stderr' | 'env'>;
  readonly #shown = { stdout: new VisibleBytes(), stderr: new VisibleBytes() };

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
    const { stdout } = this.#environment;
    await stdout.write(`${this.json ? JSON.stringify(value) : textFor(stdout, people())}\n`);
  }

  /** What a program printed: as it is, but for a terminal without anything that would command it. */
  async bytes(chunk: Uint8Array): Promise<void> {
    const { stdout } = this.#environment;
    await stdout.write(stdout.isTTY ? this.#shown.stdout.of(chunk) : chunk);
  }

  async errorBytes(chunk: Uint8Array): Promise<void> {
    const { stderr } = this.#environment;
    if (!this.json) await stderr.write(stderr.isTTY ? this.#shown.stderr.of(chunk) : chunk);
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
      : `${this.colors.red('error')} ${code}: ${textFor(this.#environment.stderr, message)}`;
    await this.#environment.stderr.write(`${text}\n`);
  }
}

function textFor({ isTTY }: OutputStream, text: string): string {
  return isTTY ? visibleText(text) : text;
}
