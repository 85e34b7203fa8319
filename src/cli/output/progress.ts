import { type Clock, every, type Timer } from '../../lib/clock.ts';
import type { JobEvent } from '../../client/index.ts';
import type { Output } from './output.ts';
import { visibleLine } from './visible-text.ts';

export const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
export const FRAME_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/** How the events of a job are shown. */
export interface JobProgress {
  event(event: JobEvent): Promise<void>;
  /** Takes away what moves, so that something else can be printed. */
  pause(): Promise<void>;
}

/** What goes on with a job, on standard error: a line that moves on a terminal, plain lines elsewhere. */
export class Progress implements JobProgress {
  readonly #output: Output;
  readonly #clock: Clock;
  #status = '';
  #frame = 0;
  #timer: Timer | undefined;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  async event(event: JobEvent): Promise<void> {
    const text = describe(event);
    if (text === undefined) return;
    const { line, done = false, failed = false, meanwhile = false } = text;
    if (!this.#output.live) {
      await this.#output.note(line);
      return;
    }
    const status = this.#status;
    await this.pause();
    if (!done && !failed) {
      this.#show(line);
      return;
    }
    const { green, red } = this.#output.colors;
    await this.#output.note(`${failed ? red('✖') : green('✔')} ${line}`);
    if (meanwhile && status !== '') this.#show(status);
  }

  /** Takes the moving line away, so that something else can be printed. */
  async pause(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#status === '') return;
    this.#status = '';
    await this.#output.raw(CLEAR_LINE);
  }

  #show(line: string): void {
    // A line that wraps would leave its beginning behind.
    this.#status = line.slice(0, Math.max(1, this.#output.columns - 3));
    this.#timer = every(this.#clock, FRAME_MS, () => this.#draw());
  }

  async #draw(): Promise<void> {
    if (this.#status === '') return;
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const frame = this.#output.colors.cyan(FRAMES[this.#frame] ?? '');
    await this.#output.raw(`${CLEAR_LINE}${frame} ${this.#status}`);
  }
}

interface Description {
  readonly line: string;
  /** It stays on the screen; what is not done yet is replaced by what follows. */
  readonly done?: boolean;
  /** It stays too, and is not what anybody hoped for. */
  readonly failed?: boolean;
  /** What was going on still is. */
  readonly meanwhile?: boolean;
}

/** An event in words; undefined for those that say nothing new to a person. */
function describe(event: JobEvent): Description | undefined {
  const provider = event.provider === undefined ? 'a provider' : shortPeer(event.provider);
  const because = event.message === undefined ? '' : `: ${visibleLine(event.message)}`;
  switch (event.type) {
    case 'job.posted':
      return { line: 'posted', done: true };
    case 'job.queued':
      return { line: `queued${because}` };
    case 'search.opened':
      return { line: 'searching for providers' };
    case 'bid.received':
      return { line: `bid from ${provider}`, done: true, meanwhile: true };
    case 'lock.requested':
      return { line: `asking ${provider} to hold the resources` };
    case 'lock.declined':
    case 'lock.timeout':
      return { line: `${provider} does not hold them${because}`, failed: true };
    case 'contract.proposed':
      return { line: `proposing a contract to ${provider}` };
    case 'contract.accepted':
      return { line: `contract with ${provider}`, done: true };
    case 'contract.declined':
      return { line: `${provider} declines the contract${because}`, failed: true };
    case 'execution.started':
      return { line: `running on ${provider}` };
    case 'execution.publishing':
      return { line: 'fetching the result' };
    case 'execution.lost':
    case 'execution.failed':
      return { line: `attempt on ${provider} failed${because}`, failed: true };
    case 'job.completed':
      return { line: 'completed', done: true };
    case 'job.failed':
      return { line: `failed${because}`, failed: true };
    case 'job.stopped':
      return { line: `stopped${because}`, failed: true };
    default:
      return undefined;
  }
}

/** Enough of a peer id to tell peers apart. */
export function shortPeer(peerId: string): string {
  return peerId.length <= 12 ? peerId : `…${peerId.slice(-8)}`;
}
