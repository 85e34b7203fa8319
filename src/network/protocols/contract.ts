import type { ContractAnswer } from '../../domain/market/contract.ts';
import { CodedError, codeOf } from '../../lib/coded-error.ts';
import {
  contractAnswerFrame,
  contractQuerySchema,
  openContractAnswer,
} from '../../messages/contract-query.ts';
import { type Frame, refusedSchema } from '../../messages/frame.ts';
import type { ProviderHandler } from '../../provider/ports.ts';
import { attend, closeSoftly, countFault, type NetworkContext } from '../context.ts';
import { FrameChannel, outOfTurn, required } from '../frame-channel.ts';
import type { Channel } from '../underlay.ts';

/** What the other side is told; any other fault drops the channel. */
const TOLD: ReadonlySet<string> = new Set(['RATE_LIMITED', 'NEVERS_FULL', 'STORE_BUSY', 'CONTRACT_DENIED']);

/**
 * contract/2: asks a provider what became of a contract. Rejects with `PEER_UNREACHABLE`, or with
 * `CONTRACT_UNANSWERED` when there was no answer that binds the provider: the outcome stays unknown then.
 */
export async function askContract(
  context: NetworkContext,
  contractId: string,
  provider: string,
  peerRecord: Uint8Array,
): Promise<ContractAnswer> {
  const { underlay, names, limits, clock, verifier } = context;
  const channel = await underlay.open(provider, names.contract, limits.protocols.contract, {
    peerRecord,
    timeoutMs: limits.openTimeoutMs,
  });
  try {
    const frames = new FrameChannel(channel, clock, limits.protocols.contract.maxFrameBytes);
    await frames.send({ kind: 'contract-query', body: { contractId } });
    const frame = await frames.expect(limits.answerTimeoutMs);
    if (frame.kind === 'refused') {
      const refused = refusedSchema.safeParse(frame.body);
      throw new CodedError(
        refused.success ? refused.data.code : 'MALFORMED',
        'The provider refused the question.',
      );
    }
    const answer = required(openContractAnswer(verifier, frame, contractId, provider));
    closeSoftly(context, channel);
    return answer;
  } catch (cause) {
    channel.abort();
    countFault(context, 'contract', provider, cause);
    throw new CodedError(
      'CONTRACT_UNANSWERED',
      'The provider gave no answer about the contract. Ask again later.',
      {
        cause,
        data: { contractId, provider },
      },
    );
  }
}

export function serveContract(
  context: NetworkContext,
  provider: ProviderHandler | undefined,
  channel: Channel,
): Promise<void> {
  return attend(context, 'contract', channel, async () => {
    const { clock, limits } = context;
    const frames = new FrameChannel(channel, clock, limits.protocols.contract.maxFrameBytes);
    const frame = await frames.expect(limits.answerTimeoutMs);
    const query = contractQuerySchema.safeParse(frame.body);
    if (frame.kind !== 'contract-query' || !query.success) throw outOfTurn(`a ${frame.kind}`);
    if (provider === undefined) {
      await frames.send({ kind: 'refused', body: { code: 'NOT_A_PROVIDER' } });
      return;
    }
    await frames.send(await answerOf(context, provider, channel.peer, query.data.contractId));
  });
}

async function answerOf(
  context: NetworkContext,
  provider: ProviderHandler,
  asker: string,
  contractId: string,
): Promise<Frame> {
  try {
    const answer = await provider.contract(asker, contractId);
    // A promise that costs a signature and a record, for an id that anybody can make up.
    if (answer.kind === 'never') context.allowances.fault(asker, 'UNKNOWN_CONTRACT');
    return contractAnswerFrame(answer);
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (!TOLD.has(code)) throw error;
    countFault(context, 'contract', asker, error);
    context.allowances.fault(asker, code);
    return { kind: 'refused', body: { code } };
  }
}
