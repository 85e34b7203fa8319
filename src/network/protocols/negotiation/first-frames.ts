import { within } from '../../../lib/clock.ts';
import { CodedError, codeOf } from '../../../lib/coded-error.ts';
import type { Frame } from '../../../messages/frame.ts';
import type { NetworkContext } from '../../context.ts';
import type { FrameChannel } from '../../frame-channel.ts';
import { READY_FOR_MS } from './ready-channels.ts';

/** A channel that lies ready is given up by its provider, so the requester waits longer. */
const liesAtMostMs = 2 * READY_FOR_MS;
/** Channels that may lie without a first frame, one for each provider. */
const MOST_LYING = 1024;

const SILENT = Symbol('silent');

/** What comes first on the channels that providers open; they may open one before they have something to say. */
export class FirstFrames {
  readonly #context: NetworkContext;
  /** Providers with a channel that lies ready. */
  readonly #lying = new Set<string>();

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  /** Undefined when the channel ends without a word. Rejects with `FRAME_TIMEOUT`, or the code of what was wrong with it. */
  async of(frames: FrameChannel): Promise<Frame | undefined> {
    const { clock, limits } = this.#context;
    const frame = frames.receive();
    const soon = await within(clock, limits.answerTimeoutMs, frame, () => SILENT);
    const first = typeof soon === 'symbol' ? await this.#later(frames.channel.peer, frame) : soon;
    if (typeof first !== 'symbol') return first;
    throw new CodedError('FRAME_TIMEOUT', 'The other side took too long.');
  }

  async #later(peer: string, frame: Promise<Frame | undefined>): Promise<Frame | undefined | typeof SILENT> {
    if (this.#lying.has(peer) || this.#lying.size >= MOST_LYING) return SILENT;
    this.#lying.add(peer);
    try {
      return await within(this.#context.clock, liesAtMostMs, frame, () => SILENT);
    } catch (error) {
      // It was dropped before it was used.
      if (codeOf(error) === 'CHANNEL_CLOSED') return undefined;
      throw error;
    } finally {
      this.#lying.delete(peer);
    }
  }
}
