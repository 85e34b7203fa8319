import { describe, expect, it } from 'vitest';
import type { ExecutionEnd, Observed } from '../../../../src/domain/market/execution.ts';
import { EMPTY_INDEX } from '../../../../src/domain/market/search.ts';
import {
  contractWithWhy,
  eventWithWhy,
  executionWithWhy,
  jobWithWhy,
  searchWithWhy,
} from '../../../../src/store/migrations/told-reasons.ts';
import { entryOf } from '../../fakes/market.ts';
import * as make from '../market-records.ts';

function endedWith(state: 'Failed' | 'AskForBidRejected', end: object): Observed {
  return { state, end: { finishedAt: 1, exitReason: 'denied', ...end } as ExecutionEnd };
}

function whyOf(observed: Observed): unknown {
  const ended = executionWithWhy({ ...make.execution('j', 0, 1), observed }).observed;
  return 'end' in ended ? ended.end : undefined;
}

describe('a record of before reasons were data', () => {
  it('keeps its sentence, and no trace of its former form', () => {
    const old = { ...make.job('j'), reason: 'It was so.' };
    expect(jobWithWhy(old)).toEqual(make.job('j', { why: make.told('It was so.') }));
    const event = { seq: 1, at: 1, type: 'job.failed' } as const;
    const before = { ...event, message: 'It was so.' };
    expect(eventWithWhy(before)).toEqual({ ...event, why: make.told('It was so.') });
    expect(whyOf(endedWith('Failed', { message: 'It broke: so.' }))).toEqual({
      finishedAt: 1,
      exitReason: 'denied',
      why: make.told('It broke: so.'),
    });
  });

  it('keeps the code that a refusal began with', () => {
    const refused = endedWith('AskForBidRejected', { message: 'NEGOTIATION_TIMEOUT: no answer: so' });
    const data = { error: 'NEGOTIATION_TIMEOUT', text: 'no answer: so' };
    expect(whyOf(refused)).toMatchObject({
      why: { code: 'no-contract', data: { why: { code: 'no-answer', data } } },
    });
    expect(whyOf(endedWith('AskForBidRejected', { message: 'so' }))).toMatchObject({ why: make.told('so') });
  });

  it('keeps what the contract of one that never began says', () => {
    const contract = make.contract('j', 'c');
    const never = { ...contract, reason: 'never-begun' };
    expect(contractWithWhy(never)).toEqual({ ...contract, why: { code: 'never-begun', data: {} } });
    expect(contractWithWhy({ ...contract, reason: 'so' })).toEqual({ ...contract, why: make.told('so') });
  });

  it('keeps why bids were ranked and providers left out', () => {
    const rank = { name: 'price', value: 1, weight: 1 };
    const entry = { ...entryOf('a'), ranks: [{ ...rank, reason: 'the cheapest', why: make.told('') }] };
    const old = {
      ...make.search('j', 1),
      index: { ...EMPTY_INDEX, entries: [entry] },
      ruledOut: [{ provider: 'b', reason: 'PRICE', why: make.told('') }],
    };
    const { index, ruledOut } = searchWithWhy(old);
    expect(index.entries[0]?.ranks).toEqual([{ ...rank, why: make.told('the cheapest') }]);
    expect(ruledOut).toEqual([{ provider: 'b', why: make.told('PRICE') }]);
  });

  it('is left as it is where it is of today', () => {
    const job = make.job('j', { why: { code: 'no-search-slot', data: {} } });
    expect(jobWithWhy(job)).toBe(job);
    const search = make.search('j', 1);
    expect(searchWithWhy(search)).toBe(search);
    const ended = make.ended(make.execution('j', 0, 1));
    expect(executionWithWhy(ended)).toBe(ended);
  });
});
