import type { BlockOrigin, BlockTransport, ContentHandler } from '../../content/ports.ts';
import { CodedError, codeOf } from '../../lib/coded-error.ts';
import { contentRequestSchema, type ContentRequest } from '../../messages/content-request.ts';
import type { Frame } from '../../messages/frame.ts';
import type { RequesterHandler } from '../../orchestrator/ports.ts';
import type { ProviderHandler } from '../../provider/ports.ts';
import { attend, countFault, type NetworkContext } from '../context.ts';
import { openUnless, readStream, sendData, sendFailure } from '../data-stream.ts';
import { FrameChannel, outOfTurn } from '../frame-channel.ts';
import type { Channel } from '../underlay.ts';

/** Who decides on content that a peer asks for. */
export interface ContentHandlers {
  readonly content: ContentHandler;
  readonly requester: RequesterHandler;
  readonly provider?: ProviderHandler;
}

/** Memory is asked first, and the disk only for one that can be the counterpart of a contract. */
async function mayRead(
  { content, provider, requester }: ContentHandlers,
  peer: string,
  { cid, contractId }: ContentRequest,
): Promise<boolean> {
  if (await content.isPublic(cid)) return true;
  if ((await provider?.mayRead(peer, cid, contractId)) === true) return true;
  if (requester.mayReport?.(peer) === false) return false;
  return await requester.mayRead(peer, cid, contractId);
}

/** content/2: the blocks of a DAG for the counterpart of a contract, or for anybody when it is public. */
export function serveContent(
  context: NetworkContext,
  handlers: ContentHandlers,
  channel: Channel,
): Promise<void> {
  return attend(context, 'content', channel, async () => {
    const { clock, limits, counters, allowances } = context;
    const { maxFrameBytes } = limits.protocols.content;
    const frame = await new FrameChannel(channel, clock, maxFrameBytes).expect(limits.answerTimeoutMs);
    const request = contentRequestSchema.safeParse(frame.body);
    if (frame.kind !== 'content-request' || !request.success) throw outOfTurn(`a ${frame.kind}`);
    if (!(await mayRead(handlers, channel.peer, request.data))) {
      counters.add('content.denied');
      allowances.fault(channel.peer, 'CONTENT_DENIED');
      await sendFailure(channel, 'CONTENT_DENIED');
      return;
    }
    const blocks = await handlers.content.serve(request.data.cid);
    if (blocks === undefined) {
      allowances.fault(channel.peer, 'CONTENT_UNAVAILABLE');
      await sendFailure(channel, 'CONTENT_UNAVAILABLE');
      return;
    }
    await sendData(context, channel, blocks, maxFrameBytes, 'fail');
    counters.add('content.served');
  });
}

const TRANSPORT_CODES: readonly (string | undefined)[] = [
  'PEER_UNREACHABLE',
  'CONTENT_DENIED',
  'CONTENT_UNAVAILABLE',
];

async function* fetchBlocks(
  context: NetworkContext,
  cid: string,
  from: BlockOrigin,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { underlay, names, limits } = context;
  try {
    const options = { peerRecord: from.peerRecord, timeoutMs: limits.openTimeoutMs };
    const channel = await openUnless(signal, () =>
      underlay.open(from.peer, names.content, limits.protocols.content, options),
    );
    const request: Frame = { kind: 'content-request', body: { cid, contractId: from.contractId } };
    yield* readStream(context, channel, request, signal, { stallMs: limits.streamStallMs });
  } catch (cause) {
    signal.throwIfAborted();
    countFault(context, 'fetch', from.peer, cause);
    if (TRANSPORT_CODES.includes(codeOf(cause))) throw cause;
    throw new CodedError('CONTENT_UNAVAILABLE', 'The transfer broke off before the end.', {
      cause,
      data: { cid },
    });
  }
}

export function createBlockTransport(context: NetworkContext): BlockTransport {
  return { blocks: (cid, from, signal) => fetchBlocks(context, cid, from, signal) };
}
