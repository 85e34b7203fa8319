import type { Notary } from '../domain/market/evidence.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { Verifier } from '../messages/message.ts';
import type { Allowances } from './allowances/allowances.ts';
import { TOLD_BELOW } from './allowances/faults.ts';
import type { Counters } from './counters.ts';
import type { StrayTimes } from './gossip/stray-times.ts';
import type { ProtocolNames } from './names.ts';
import type { NetworkLimits } from './options.ts';
import type { Channel, Underlay } from './underlay.ts';

/** What every protocol of one node works with. */
export interface NetworkContext {
  readonly underlay: Underlay;
  readonly notary: Notary;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly allowances: Allowances;
  readonly strays: StrayTimes;
  readonly names: ProtocolNames;
  readonly limits: NetworkLimits;
}

/** Counts a fault of `area` by its code; its words may be a peer's and stay at debug. */
export function countFault(context: NetworkContext, area: string, peer: string, error: unknown): void {
  const code = codeOf(error) ?? 'INTERNAL';
  context.counters.add(`${area}.${code}`);
  context.logger.debug('exchange failed', { area, peer, code, error: String(error) });
}

/** Ends our half and drops the channel if the other side does not end its own in time. */
export function closeSoftly(context: NetworkContext, channel: Channel): void {
  const timer = context.clock.after(context.limits.answerTimeoutMs, () => channel.abort());
  void channel.ended.then(() => timer.cancel());
  channel.close().catch(() => channel.abort());
}

/** Serves one channel to its end: faults are counted, cost their peer, and drop the channel; they never leave here. */
export async function attend(
  context: NetworkContext,
  area: string,
  channel: Channel,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
    closeSoftly(context, channel);
  } catch (error) {
    countFault(context, area, channel.peer, error);
    const code = codeOf(error) ?? 'INTERNAL';
    if (!TOLD_BELOW.has(code)) context.allowances.fault(channel.peer, code);
    channel.abort();
  }
}
