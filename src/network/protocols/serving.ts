import type { Evidence } from '../../domain/market/evidence.ts';
import type { ServingAnswer, ServingList } from '../../domain/market/serving.ts';
import { CodedError, codeOf } from '../../lib/coded-error.ts';
import { envelopeOf } from '../../messages/envelope.ts';
import { decodeFrame, refusedSchema } from '../../messages/frame.ts';
import { servingAnswerMessage, servingListMessage } from '../../messages/serving.ts';
import type { RequesterHandler } from '../../orchestrator/ports.ts';
import type { RequesterLink } from '../../provider/ports.ts';
import { attend, countFault, type NetworkContext } from '../context.ts';
import { FrameChannel, outOfTurn, receiveWithin, required } from '../frame-channel.ts';
import type { Channel } from '../underlay.ts';

interface Link {
  frames: FrameChannel | undefined;
  /** Settles when the report before is through. */
  turn: Promise<unknown>;
  waiting: number;
}

/** The provider's side of serving/2: one channel for each requester, kept for the next list and opened again when it broke. */
export class ServingLinks implements RequesterLink {
  readonly #context: NetworkContext;
  /** Least recently used first. */
  readonly #links = new Map<string, Link>();

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  peerRecord(): Uint8Array {
    return this.#context.underlay.peerRecord();
  }

  isConnected(requester: string): boolean {
    return this.#context.underlay.isConnected(requester);
  }

  prefixOf(requester: string): string | undefined {
    return this.#context.underlay.prefixOf?.(requester);
  }

  /** Rejects with `PEER_UNREACHABLE`, `REPORT_BUSY` when reports queue up, or `REPORT_FAILED`. */
  report(
    requester: string,
    requesterRecord: Uint8Array,
    list: Evidence<ServingList>,
  ): Promise<ServingAnswer> {
    const link = this.#linkTo(requester);
    if (link.waiting >= this.#context.limits.waitingReports) {
      return Promise.reject(new CodedError('REPORT_BUSY', 'Earlier lists are still under way.'));
    }
    link.waiting += 1;
    const work = link.turn.then(() => this.#deliver(link, requester, requesterRecord, list));
    link.turn = work
      .catch(() => {})
      .finally(() => {
        link.waiting -= 1;
      });
    return work;
  }

  #linkTo(requester: string): Link {
    const link = this.#links.get(requester) ?? { frames: undefined, turn: Promise.resolve(), waiting: 0 };
    this.#links.delete(requester);
    this.#links.set(requester, link);
    for (const [peer, idle] of this.#links) {
      if (this.#links.size <= this.#context.limits.servingLinks) break;
      if (idle.waiting > 0 || idle === link) continue;
      this.#links.delete(peer);
      idle.frames?.channel.abort();
    }
    return link;
  }

  async #deliver(
    link: Link,
    requester: string,
    peerRecord: Uint8Array,
    list: Evidence<ServingList>,
  ): Promise<ServingAnswer> {
    const kept = link.frames;
    try {
      if (kept !== undefined) return await this.#ask(kept, requester, list);
    } catch (error) {
      // The kept channel may have died unnoticed; a silent requester has not, and a second try would be as long.
      if (codeOf(error) !== 'CHANNEL_CLOSED') throw this.#failed(link, requester, error);
      link.frames = undefined;
    }
    try {
      const fresh = await this.#open(link, requester, peerRecord);
      return await this.#ask(fresh, requester, list);
    } catch (error) {
      throw this.#failed(link, requester, error);
    }
  }

  #failed(link: Link, requester: string, cause: unknown): unknown {
    link.frames?.channel.abort();
    link.frames = undefined;
    countFault(this.#context, 'report', requester, cause);
    if (codeOf(cause) === 'PEER_UNREACHABLE') return cause;
    return new CodedError('REPORT_FAILED', 'The requester has not taken the serving list.', { cause });
  }

  async #open(link: Link, requester: string, peerRecord: Uint8Array): Promise<FrameChannel> {
    const { underlay, names, limits, clock } = this.#context;
    const channel = await underlay.open(requester, names.serving, limits.protocols.serving, {
      peerRecord,
      timeoutMs: limits.openTimeoutMs,
    });
    const frames = new FrameChannel(channel, clock, limits.protocols.serving.maxFrameBytes);
    link.frames = frames;
    void channel.ended.then(() => {
      if (link.frames === frames) link.frames = undefined;
    });
    return frames;
  }

  async #ask(frames: FrameChannel, requester: string, list: Evidence<ServingList>): Promise<ServingAnswer> {
    await frames.send({ kind: 'serving-list', body: envelopeOf(list) });
    const frame = await frames.expect(this.#context.limits.servingAnswerTimeoutMs);
    if (frame.kind === 'refused') {
      const refused = refusedSchema.safeParse(frame.body);
      throw new CodedError(
        refused.success ? refused.data.code : 'MALFORMED',
        'The requester takes no lists of this node.',
      );
    }
    if (frame.kind !== 'serving-answer') throw outOfTurn(`a ${frame.kind}`);
    const answer = required(this.#context.verifier.open(servingAnswerMessage, frame.body, requester));
    if (answer.value.number !== list.value.number) throw outOfTurn('an answer to another list');
    return answer.value;
  }
}

/**
 * The requester's side of serving/2: lists in, one answer for each, until the provider ends or falls silent. What comes
 * from a peer that cannot have anything to tell is not decoded, and not even waited for.
 */
export function serveServing(
  context: NetworkContext,
  requester: RequesterHandler,
  channel: Channel,
): Promise<void> {
  return attend(context, 'serving', channel, async () => {
    const { clock, limits, verifier, notary, allowances } = context;
    const { peer } = channel;
    const frames = new FrameChannel(channel, clock, limits.protocols.serving.maxFrameBytes);
    for (;;) {
      if (requester.mayReport?.(peer) === false) return await refuseLists(frames);
      const bytes = await receiveWithin(channel, clock, limits.servingIdleMs);
      if (bytes === undefined) return;
      const frame = required(decodeFrame(bytes, limits.protocols.serving.maxFrameBytes));
      if (frame.kind !== 'serving-list') throw outOfTurn(`a ${frame.kind}`);
      const list = required(verifier.open(servingListMessage, frame.body, peer));
      allowances.fault(peer, 'UNKNOWN_EXECUTION', requester.strays?.(peer, list.value) ?? 0);
      const answer = await requester.servingList(peer, list);
      await frames.send({ kind: 'serving-answer', body: envelopeOf(notary.sign('serving-answer', answer)) });
    }
  });
}

/** Says so and drops the channel: whatever comes on it would be held until somebody reads it. */
async function refuseLists(frames: FrameChannel): Promise<never> {
  const code = 'NO_CONTRACT';
  await frames.send({ kind: 'refused', body: { code } });
  throw new CodedError(code, 'There is no contract with the other side.');
}
