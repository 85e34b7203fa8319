import { type Lease, releaseLease } from '../../domain/market/lock.ts';
import type { ServingItem } from '../../domain/market/serving.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { AttemptFolders, ProviderContent, ProviderExecution, ProviderStore } from '../ports.ts';
import type { LiveExecutions } from './live-executions.ts';
import type { Settler } from './settler.ts';
import type { ResumedTask } from './supervisor.ts';
import { endLeftovers, giveUp, recoverTasks, type TaskRecoveryNeeds } from './task-recovery.ts';

/** Of all attempts that were cut short, at one start. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

export interface RecoveryNeeds extends TaskRecoveryNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<ProviderStore, 'commit'>;
  readonly folders: Pick<AttemptFolders, 'printed' | 'reopen' | 'sweep'>;
  readonly content: Pick<ProviderContent, 'importTree' | 'pin'>;
  readonly ledger: Pick<ResourceLedger, 'adopt' | 'get'>;
  readonly live: LiveExecutions;
  readonly settler: Pick<Settler, 'settle'>;
}

/** What goes on now: executions that had not started, and tasks that outlived the node. */
export interface RecoveredWork {
  readonly startable: readonly ProviderExecution[];
  readonly resumable: readonly { readonly execution: ProviderExecution; readonly resumed: ResumedTask }[];
}

/**
 * Brings back what is on disk, before the first bid: tasks that went on are taken up again, what is left of others is
 * ended, locks without a contract are freed, and what was running and is gone is lost.
 */
export async function recoverExecutions(
  stored: { readonly leases: readonly Lease[]; readonly executions: readonly ProviderExecution[] },
  needs: RecoveryNeeds,
): Promise<RecoveredWork> {
  const { folders, live, ledger, settler } = needs;
  const recovered = await recoverTasks(stored.executions, needs);
  const goesOn = (execution: ProviderExecution): boolean =>
    hasNotStarted(execution) || recovered.has(execution.item.executionId);
  await recoverLeases(stored.leases, stored.executions.filter(goesOn), needs);
  for (const { item, lockId } of stored.executions) {
    const resumed = recovered.get(item.executionId);
    if (resumed === undefined || ledger.get(lockId) !== undefined) continue;
    recovered.delete(item.executionId);
    await giveUp(resumed, needs.drivers);
  }
  await endLeftovers(stored.executions, recovered, needs);
  const kept = await keepPrinted(
    stored.executions.filter(({ item }) => !recovered.has(item.executionId)),
    needs,
  );
  await folders.sweep(new Set(recovered.keys()));
  const startable: ProviderExecution[] = [];
  const resumable: { execution: ProviderExecution; resumed: ResumedTask }[] = [];
  for (const execution of stored.executions) {
    live.add(execution);
    const resumed = recovered.get(execution.item.executionId);
    if (execution.settled) settler.settle(execution, 'stop');
    else if (resumed !== undefined) resumable.push({ execution, resumed });
    else if (hasNotStarted(execution) && ledger.get(execution.lockId) !== undefined)
      startable.push(execution);
    else await loseWhatRan(execution, kept.get(execution.item.executionId), needs);
  }
  return { startable, resumable };
}

/** Those of `executions`, which go on, are held again; the others are freed. */
async function recoverLeases(
  leases: readonly Lease[],
  executions: readonly ProviderExecution[],
  { ledger, store }: RecoveryNeeds,
): Promise<void> {
  const wanted = new Set(executions.map(({ lockId }) => lockId));
  const freed = leases
    .filter((lease) => !(lease.state === 'committed' && wanted.has(lease.lockId) && ledger.adopt(lease)))
    .map(releaseLease);
  if (freed.length > 0) await store.commit({ leases: freed });
}

function hasNotStarted({ item, task, settled }: ProviderExecution): boolean {
  return item.state === 'BidAccepted' && task === undefined && !settled;
}

type Kept = Pick<ServingItem, 'resultCid' | 'resultBytes'>;

/**
 * A program that was cut short has printed all the same: that becomes the result of its attempt, as far as it came. What
 * cannot be kept does not hold up the start.
 */
async function keepPrinted(
  executions: readonly ProviderExecution[],
  { folders, content, logger }: RecoveryNeeds,
): Promise<ReadonlyMap<string, Kept>> {
  const kept = new Map<string, Kept>();
  let leftBytes = MOST_KEPT_BYTES;
  for (const { item, settled } of executions) {
    if (settled || item.state !== 'Running') continue;
    const { executionId, contractId } = item;
    try {
      const printed = await folders.printed(executionId);
      if (printed === undefined || printed.bytes > leftBytes) continue;
      leftBytes -= printed.bytes;
      const { cid, bytes } = await content.importTree([
        { path: 'stdout', source: printed.stdout },
        { path: 'stderr', source: printed.stderr },
      ]);
      await content.pin(cid, contractId);
      kept.set(executionId, { resultCid: cid, resultBytes: bytes });
    } catch (error) {
      logger.warn('what a program had printed is lost', { executionId, reason: messageOf(error) });
    }
  }
  return kept;
}

async function loseWhatRan(
  { item }: ProviderExecution,
  kept: Kept | undefined,
  { live, clock }: RecoveryNeeds,
): Promise<void> {
  if (item.state !== 'Running' && item.state !== 'BidAccepted') return;
  const message =
    item.state === 'Running'
      ? 'The provider was restarted while this ran.'
      : 'The capacity for this was gone when the provider was back.';
  await live.move(item.executionId, {
    state: 'Failed',
    exitReason: 'lost',
    message,
    ...kept,
    finishedAt: clock.livedMs(),
  });
}
