import { describe, expect, it } from 'vitest';
import { checkPolicies, type PolicyContext } from '../../../../src/provider/bidding/policies.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { requestOf } from '../../fakes/market.ts';
import { providerOptions } from './bidding-desk.ts';

function contextOf(changes: Partial<PolicyContext> = {}): PolicyContext {
  return {
    self: 'provider',
    requester: 'requester',
    request: requestOf(),
    options: providerOptions(),
    draining: false,
    price: () => ({ amount: '0.02', currency: 'USD', per: 'hour' }),
    liveExecutions: 0,
    retryAfter: () => ({ retryAfterMs: 700 }),
    ...changes,
  };
}

const budget = (amount: string, currency = 'USD') =>
  contextOf({ request: requestOf({ budget: { amount, currency, per: 'hour' } }) });

describe('the policy chain', () => {
  it.each([
    ['nothing against it', contextOf()],
    ['a requester that is allowed', contextOf({ options: providerOptions({ allow: ['requester'] }) })],
    ['a budget that is just enough', budget('0.02')],
    ['room for one more', contextOf({ liveExecutions: defaultProviderLimits.maxExecutions - 1 })],
  ])('says yes: %s', (_, context) => {
    expect(checkPolicies(context)).toEqual({ ok: true });
  });

  const longest = requestOf({
    requirements: {
      ...requestOf().requirements,
      executionTimeoutMs: defaultProviderLimits.maxExecutionTimeoutMs + 1,
    },
  });
  it.each([
    ['draining', contextOf({ draining: true }), 'DRAINING', true],
    ['denied', contextOf({ options: providerOptions({ deny: ['requester'] }) }), 'POLICY', false],
    ['not on the list', contextOf({ options: providerOptions({ allow: ['other'] }) }), 'POLICY', false],
    ['full', contextOf({ liveExecutions: defaultProviderLimits.maxExecutions }), 'BUSY', true],
    ['too long', contextOf({ request: longest }), 'POLICY', false],
    ['too dear', budget('0.019'), 'PRICE', false],
    ['another currency', budget('100', 'EUR'), 'PRICE', false],
  ])('says no: %s', (_, context, code, retryable) => {
    expect(checkPolicies(context)).toMatchObject({ ok: false, code, retryable });
  });

  it.each([
    ['draining', contextOf({ draining: true }), defaultProviderLimits.drainingRetryMs],
    ['full', contextOf({ liveExecutions: defaultProviderLimits.maxExecutions }), 700],
  ])('says when to ask again: %s', (_, context, retryAfterMs) => {
    expect(checkPolicies(context)).toMatchObject({ retryAfterMs });
  });

  it('names the amount that would do in the unit of the budget, or the currency', () => {
    expect(checkPolicies(budget('0.019'))).toMatchObject({
      field: 'budget.maxPrice',
      required: '0.019 USD per hour',
      available: '0.02 USD per hour',
    });
    expect(checkPolicies(budget('100', 'EUR'))).toMatchObject({
      field: 'budget.currency',
      required: 'EUR',
      available: 'USD',
    });
  });

  it('names the first reason, the cheapest to find', () => {
    const both = contextOf({ draining: true, options: providerOptions({ deny: ['requester'] }) });
    expect(checkPolicies(both)).toMatchObject({ code: 'DRAINING' });
  });
});
