import { type Clock, every, type Timer } from '../../lib/clock.ts';
import type { JobEvent } from '../../client/index.ts';
import { SweepCounts, type SweepPlace } from '../sweep-counts.ts';
import type { Output } from './output.ts';
import { FRAMES, FRAME_MS, type JobProgress, shortPeer } from './progress.ts';
import { visibleLine } from './visible-text.ts';

/** Between two lines where nobody watches: what a file or the log of a build should hold of a long sweep. */
const LINE_EVERY_MS = 2000;

const CLEAR_BELOW = '\u001b[J';

/**
 * What goes on with a job of many partitions, on standard error: one line per state, in place on a terminal; elsewhere
 * a line with all of them whenever they have changed, and not too often.
 */
export class SweepProgress implements JobProgress {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #counts: SweepCounts;
  readonly #count: number;
  #lastFailure = '';
  #waitsFor = '';
  #end = '';
  #drawn: readonly string[] = [];
  #lastLine = '';
  #frame = 0;
  #timer: Timer | undefined;

  constructor(output: Output, clock: Clock, count: number) {
    this.#output = output;
    this.#clock = clock;
    this.#count = count;
    this.#counts = new SweepCounts(count);
  }

  async event(event: JobEvent): Promise<void> {
    this.#counts.apply(event);
    const because = event.message === undefined ? '' : `: ${visibleLine(event.message)}`;
    if (event.type === 'job.queued') this.#waitsFor = because;
    if (event.type === 'execution.started') this.#waitsFor = '';
    if (event.type === 'execution.failed' || event.type === 'execution.lost') {
      this.#lastFailure = `, the last on ${shortPeer(event.provider ?? 'a provider')}${because}`;
    }
    if (event.type === 'job.failed' || event.type === 'job.stopped') {
      this.#end = `${event.type === 'job.failed' ? 'failed' : 'stopped'}${because}`;
    }
    if (this.#timer !== undefined) return;
    await this.#show();
    const everyMs = this.#output.live ? FRAME_MS : LINE_EVERY_MS;
    this.#timer = every(this.#clock, everyMs, () => this.#show());
  }

  /** What stands there stays, and is the newest. */
  async pause(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#show();
    this.#drawn = [];
    if (this.#end !== '') await this.#output.note(`${this.#cross()}${this.#end}`);
    this.#end = '';
  }

  async #show(): Promise<void> {
    if (this.#output.live) await this.#draw();
    else await this.#line();
  }

  /** The lines of before are painted over as one write, so that none of them flickers. */
  async #draw(): Promise<void> {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const lines = this.#lines();
    const back = this.#drawn.length === 0 ? '' : `\u001b[${this.#drawn.length}A\r${CLEAR_BELOW}`;
    this.#drawn = lines;
    await this.#output.raw(`${back}${lines.map((line) => `${line}\n`).join('')}`);
  }

  #lines(): readonly string[] {
    const { green, cyan } = this.#output.colors;
    const running = this.#timer !== undefined;
    const marks: Readonly<Record<SweepPlace, string>> = {
      waiting: running ? `${cyan(FRAMES[this.#frame] ?? '')} ` : '  ',
      starting: running ? `${cyan(FRAMES[this.#frame] ?? '')} ` : '  ',
      running: running ? `${cyan(FRAMES[this.#frame] ?? '')} ` : '  ',
      completed: `${green('✔')} `,
      failed: this.#cross(),
      unfinished: this.#cross(),
    };
    const lines = this.#counts.places().map(([place, count]) => {
      const why = place === 'waiting' ? this.#waitsFor : '';
      return `${marks[place]}${this.#fit(`${place.padEnd(10)}  ${count} of ${this.#count}${why}`)}`;
    });
    const failures = this.#failures();
    return failures === '' ? lines : [...lines, `${this.#cross()}${this.#fit(failures)}`];
  }

  async #line(): Promise<void> {
    const places = this.#counts.places().map(([place, count]) => `${count} ${place}`);
    const failures = this.#failures();
    const line = `${this.#counts.completed} of ${this.#count} completed${places
      .filter((text) => !text.endsWith(' completed'))
      .map((text) => `, ${text}`)
      .join('')}${failures === '' ? '' : `; ${failures}`}`;
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    await this.#output.note(line);
  }

  #failures(): string {
    const { failedAttempts } = this.#counts;
    if (failedAttempts === 0) return '';
    return `${failedAttempts} attempt${failedAttempts === 1 ? '' : 's'} failed${this.#lastFailure}`;
  }

  #cross(): string {
    return this.#output.live ? `${this.#output.colors.red('✖')} ` : '';
  }

  /** A line that wraps would be two to move back over. */
  #fit(text: string): string {
    return text.slice(0, Math.max(1, this.#output.columns - 3));
  }
}
