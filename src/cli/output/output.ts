import pico from 'picocolors';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { CliEnvironment, OutputStream } from '../environment.ts';
import { VisibleBytes, visibleText } from './visible-text.ts';

const USUAL_COLUMNS = 80;

/** Where a command writes: results to standard output, everything else to standard error. */
export class Output {
  readonly json: boolean;
  readonly #environment: Pick<CliEnvironment, 'stdout' | 'stderr' | 'env'>;
  readonly #shown = { stdout: new VisibleBytes(), stderr: new VisibleBytes() };
  #outlivesReader = false;

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

  /** How wide the screen is that what goes on is shown on. */
  get columns(): number {
    return this.#environment.stderr.columns?.() ?? USUAL_COLUMNS;
  }

  get colors(): ReturnType<typeof pico.createColors> {
    return pico.createColors(this.live && this.#environment.env['NO_COLOR'] === undefined);
  }

  /**
   * From here on a reader of standard output that has left, as `head` does, does not end the command: what it waits
   * for is still to come.
   */
  outliveReader(): void {
    this.#outlivesReader = true;
  }

  /** The machine's answer as one line, or what `people` makes of it. */
  async result(value: unknown, people: () => string): Promise<void> {
    const { stdout } = this.#environment;
    await this.#print(`${this.json ? JSON.stringify(value) : textFor(stdout, people())}\n`);
  }

  /** Words of this program's own that were asked for, such as its help. */
  async text(text: string): Promise<void> {
    await this.#print(text);
  }

  /** What a program printed: as it is, but for a terminal without anything that would command it. */
  async bytes(chunk: Uint8Array): Promise<void> {
    const { stdout } = this.#environment;
    await this.#print(stdout.isTTY ? this.#shown.stdout.of(chunk) : chunk);
  }

  async errorBytes(chunk: Uint8Array): Promise<void> {
    const { stderr } = this.#environment;
    if (!this.json) await this.#tell(stderr.isTTY ? this.#shown.stderr.of(chunk) : chunk);
  }

  /** A line about what goes on; nothing for machines. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.#tell(`${text}\n`);
  }

  async raw(text: string): Promise<void> {
    if (!this.json) await this.#tell(text);
  }

  /** Why the command failed, with its code and, in the sentence, the next step. */
  async failure(error: unknown): Promise<void> {
    const code = codeOf(error) ?? 'INTERNAL';
    const message = messageOf(error);
    const errors = error instanceof CodedError ? error.data['errors'] : undefined;
    const text = this.json
      ? JSON.stringify({ error: { code, message, ...(errors === undefined ? {} : { errors }) } })
      : `${this.colors.red('error')} ${code}: ${textFor(this.#environment.stderr, message)}`;
    await this.#tell(`${text}\n`);
  }

  async #print(chunk: string | Uint8Array): Promise<void> {
    try {
      await this.#environment.stdout.write(chunk);
    } catch (cause) {
      if (!hasLeft(cause)) {
        throw new CodedError(
          'OUTPUT_NOT_WRITTEN',
          `Standard output cannot be written: ${messageOf(cause)}. Give it room, or send it somewhere else.`,
          { cause },
        );
      }
      if (!this.#outlivesReader) throw new CodedError(READER_LEFT, 'Nobody reads standard output any more.');
    }
  }

  /** Words on the side; where nobody can have them, the work is not worse for it. */
  async #tell(chunk: string | Uint8Array): Promise<void> {
    await this.#environment.stderr.write(chunk).catch(() => undefined);
  }
}

/** The code of the end of a command whose reader wants no more. */
export const READER_LEFT = 'READER_LEFT';

/** How writing to a pipe fails once nobody reads it, on each system, and every time after the first. */
const GONE: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'EOF',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

function hasLeft(error: unknown): boolean {
  return GONE.has(codeOf(error));
}

function textFor({ isTTY }: OutputStream, text: string): string {
  return isTTY ? visibleText(text) : text;
}
