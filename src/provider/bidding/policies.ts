import type { BidRequest, Refusal, Verdict } from '../../domain/market/bid.ts';
import { compareBudget, isWithinBudget } from '../../domain/matching/budget-matching.ts';
import { durationTexts } from '../../domain/matching/field-text.ts';
import type { Price } from '../../domain/units/money.ts';
import type { ProviderOptions } from '../options.ts';
import { draining, runsEnough } from './refusals.ts';

/** What a policy may look at. */
export interface PolicyContext {
  readonly self: string;
  readonly requester: string;
  readonly request: BidRequest;
  readonly options: ProviderOptions;
  readonly draining: boolean;
  /** What this node asks for the job as things stand. */
  readonly price: () => Price;
  readonly liveExecutions: number;
  /** When something that runs or is locked here ends by itself, if not before. */
  readonly retryAfter: () => Pick<Refusal, 'retryAfterMs'>;
}

/** One rule: yes, or no with the reason. */
export type Policy = (context: PolicyContext) => Verdict;

const YES: Verdict = { ok: true };

function no(refusal: Refusal): Verdict {
  return { ok: false, ...refusal };
}

const notDraining: Policy = ({ draining: drains, options }) =>
  drains ? no(draining({ retryAfterMs: options.limits.drainingRetryMs })) : YES;

export const NOT_SERVED: Refusal = {
  code: 'POLICY',
  why: { code: 'requester-not-served', data: {} },
  field: 'requester',
  retryable: false,
};

/** Whether the owner of this node lets `requester` be served. */
export function isServed(
  requester: string,
  { allow, deny }: Pick<ProviderOptions, 'allow' | 'deny'>,
): boolean {
  return !deny.includes(requester) && (allow.length === 0 || allow.includes(requester));
}

const requesterAllowed: Policy = ({ requester, options }) =>
  isServed(requester, options) ? YES : no(NOT_SERVED);

const withinExecutionCap: Policy = ({ liveExecutions, options, retryAfter }) =>
  liveExecutions < options.limits.maxExecutions ? YES : no(runsEnough(retryAfter()));

const timeoutAcceptable: Policy = ({ request, options }) =>
  request.requirements.executionTimeoutMs <= options.limits.maxExecutionTimeoutMs
    ? YES
    : no({
        code: 'POLICY',
        why: { code: 'timeout-too-long', data: {} },
        field: 'timeouts.execution',
        ...durationTexts(request.requirements.executionTimeoutMs, options.limits.maxExecutionTimeoutMs),
        retryable: false,
      });

const priceWithinBudget: Policy = ({ request, price: asked }) => {
  const { budget } = request;
  if (budget === undefined) return YES;
  const { executionTimeoutMs } = request.requirements;
  const price = asked();
  if (isWithinBudget(budget, price, executionTimeoutMs)) return YES;
  const { field, required, available } = compareBudget(budget, price, executionTimeoutMs);
  const code = field === 'budget.currency' ? 'other-currency-taken' : 'over-budget';
  return no({ code: 'PRICE', why: { code, data: {} }, field, required, available, retryable: false });
};

/** Cheap ones first. The comparison with the machine comes after these, since it costs most. */
const CHAIN: readonly Policy[] = [
  notDraining,
  requesterAllowed,
  withinExecutionCap,
  timeoutAcceptable,
  priceWithinBudget,
];

/** The first no, or yes. */
export function checkPolicies(context: PolicyContext): Verdict {
  for (const policy of CHAIN) {
    const verdict = policy(context);
    if (!verdict.ok) return verdict;
  }
  return YES;
}
