import type { Execution } from '../../../../src/domain/market/execution.ts';
import type { PlanAction, ReconcileInput } from '../../../../src/domain/job/plan.ts';
import { jobSentence } from '../../../../src/words/job-words.ts';
import { reconcileBatch } from '../../../../src/orchestrator/schedulers/batch.ts';
import { executionOf, jobOf, NOW, observedAs } from '../../fakes/market.ts';

export const LOST_AFTER_MS = 5000;

function inputOf(changes: Partial<ReconcileInput> = {}): ReconcileInput {
  return {
    job: jobOf(),
    executions: [],
    revision: 1,
    openNegotiations: new Set(),
    lostAfterMs: LOST_AFTER_MS,
    maxSearchRounds: 5,
    ...changes,
  };
}

export function plan(changes: Partial<ReconcileInput>, now = NOW): readonly PlanAction[] {
  return reconcileBatch(inputOf(changes), now).actions;
}

/** What a plan comes to, without the details of each action. */
export function kinds(actions: readonly PlanAction[]): readonly string[] {
  return actions.map((action) => {
    switch (action.kind) {
      case 'CreateExecution':
        return `create ${action.execution.id} on ${action.execution.provider}`;
      case 'SetDesired':
        return action.observed === undefined
          ? `${action.desired} ${action.executionId}`
          : `${action.observed.state} ${action.executionId}`;
      case 'MarkLost':
        return `lost ${action.executionId}`;
      case 'SetJobState':
        return `job ${action.state}`;
      case 'StartSearch':
        return `search ${action.round} for ${action.slots}`;
      case 'Requeue':
        return `again ${action.trigger} +${action.waitUntil - NOW}`;
      case 'RefuseBids':
        return `${action.code} ${action.providers.join(', ')}`;
      case 'CloseSearch':
        return 'close search';
    }
  });
}

export function reasonOf(actions: readonly PlanAction[]): string | undefined {
  const [why] = actions.flatMap((action) => (action.kind === 'SetJobState' ? [action.why] : []));
  return why === undefined ? undefined : jobSentence(why);
}

export const e = (partition: number, attempt: number): string => `job.v1.p${partition}r0.a${attempt}`;
export const running = (partition = 0, attempt = 1, provider = 'a'): Execution =>
  executionOf(partition, attempt, provider, observedAs.running(), { desired: 'Running' });
