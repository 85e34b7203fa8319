import type { ContractReasons } from '../../../src/domain/market/contract.ts';
import type { EndReasons } from '../../../src/domain/market/end-reason.ts';
import type { NegotiationReasons } from '../../../src/domain/market/negotiation-reason.ts';
import type { PassedOverReasons } from '../../../src/domain/market/passed-over.ts';
import type { RankReasons } from '../../../src/domain/market/rank-reason.ts';
import type { RefusalReasons } from '../../../src/domain/market/refusal-reason.ts';
import type { Suggestions } from '../../../src/domain/explain/suggestion.ts';
import type { WinnerReasons } from '../../../src/domain/explain/winner.ts';
import type { EventReasons } from '../../../src/domain/job/job-event.ts';
import type { JobReasons } from '../../../src/domain/job/job-reason.ts';
import type { Told } from '../../../src/domain/units/reason.ts';

/** Reasons as examples, each with all the data that it can have: the rows of `specs/reasons.md` are made of them. */
type Samples<Reasons> = { readonly [Code in Exclude<keyof Reasons, keyof Told>]: Reasons[Code] };

const error = { error: 'QUOTA_EXCEEDED', text: 'The content store is full.' };
const why = { code: 'provider-said', data: { text: 'out of memory' } } as const;
const beside = { otherNetworks: ['lab'] };
const lost = { lost: { provider: '12D3A', afterMs: 12_000 } };
const queue = { forMs: 60_000, isOver: false };
const two = { providers: ['12D3A', '12D3B'], count: 2 };

export const job: Samples<JobReasons> = {
  'stopped-by-owner': {},
  'job-time-over': { totalMs: 3_600_000 },
  'job-not-planned': {},
  'no-search-slot': {},
  'partition-failed': { partition: 0, exitReason: 'exit-code', exitCode: 3, why },
  'attempts-used-up': { partition: 0, attempts: 3, exitReason: 'internal', why },
  'nobody-could': {
    because: [
      { count: 2, why: { code: 'said-no', data: { decline: 'BUSY' } } },
      { count: 1, why: { code: 'bid-refused', data: { refusal: 'OVER_BUDGET' } } },
    ],
    queueMs: 0,
  },
  'bidders-gone': lost,
  'search-broken-off': {},
  'no-bid-in-time': { excluded: 1 },
  'preferred-silent': { providers: ['12D3A'] },
  'nobody-known': { excluded: 0, ...beside },
  'nobody-reached': { known: 3, fitting: 1, excluded: 0 },
  'nobody-fits': { known: 2, fields: ['gpu.vram', 'cpu'], excluded: 0 },
};

export const end: Samples<EndReasons> = {
  'bid-not-used': {},
  'stopped-by-requester': {},
  'total-time-over': {},
  'provider-silent': { silentMs: 61_000 },
  'work-overdue': {},
  'negotiation-ended': {},
  'no-contract': { why: { code: 'lock-missing', data: {} } },
  'provider-said': { text: 'The program ran longer than 10 min.' },
  'no-result-named': {},
  'result-not-kept': error,
  'result-not-fetched': error,
};

export const negotiation: Samples<NegotiationReasons> = {
  declined: {
    decline: 'INSUFFICIENT_RESOURCES',
    text: 'cpu: 4 asked, 2 here.',
    field: 'cpu',
    required: '4',
    available: '2',
  },
  'lock-missing': {},
  'bid-changed': {},
  'lock-changed': {},
  'negotiation-over': {},
  'proposal-not-sent': {},
  'provider-not-let-in': { text: 'It shows no credential.' },
  'provider-not-checked': { text: 'no answer' },
  'contract-never': { text: 'No proposal with this id was accepted here.' },
  'no-answer': { error: 'NEGOTIATION_TIMEOUT', text: 'The provider did not answer in time.' },
  'provider-not-asked': { text: 'no way to it' },
};

export const passedOver: Samples<PassedOverReasons> = {
  'said-no': { decline: 'CONSTRAINT_UNMET', field: 'gpu.vram' },
  'bid-refused': { refusal: 'OVER_BUDGET' },
  'failed-here': { why },
  'bid-not-kept': { why },
};

export const contract: Samples<ContractReasons> = { 'never-begun': {}, 'not-wanted': {} };

export const event: Samples<EventReasons> = { 'result-waits': error };

export const rank: Samples<RankReasons> = {
  'other-currency': { currency: 'SHELLS', comparedIn: 'USD' },
  cheapest: { total: '0.02', currency: 'USD' },
  dearer: { total: '0.04', currency: 'USD', cheapest: '0.02' },
  'no-soft-constraints': {},
  'soft-constraints': { met: 1, asked: 2 },
  busy: { percent: 40 },
  'start-not-said': {},
  'starts-in': { startsInMs: 400 },
  'fit-not-said': {},
  'leaves-unused': { percent: 10 },
  'leaves-devices': { percent: 10, gpusFree: 1, gpus: 2 },
  'kept-for-devices': { why: { code: 'leaves-unused', data: { percent: 10 } } },
  strikes: { tallies: [{ kind: 'lost-execution', count: 2 }] },
  'round-trip-unknown': {},
  'round-trip': { roundTripMs: 12 },
  'another-node': {},
  'own-node': {},
  'own-node-preferred': {},
  preferred: {},
  'not-preferred': {},
  'silent-lately': {},
  answers: {},
};

export const winner: Samples<WinnerReasons> = {
  'holds-contract': {},
  'better-declined': { better: 2 },
  'only-bid': {},
  'job-prefers-it': {},
  'next-is-silent': {},
  'next-is-own-node': {},
  'equal-scores': { score: 900 },
  'higher-score': {
    score: 900,
    nextScore: 800,
    ranker: 'load',
    why: { code: 'busy', data: { percent: 40 } },
  },
};

export const suggestion: Samples<Suggestions> = {
  'check-those-silent': two,
  'ask-less': {
    field: 'gpu.vram',
    required: '24 GiB',
    available: '16 GiB',
    providers: 3,
    beside: [{ field: 'cpu', required: '8', available: '4' }],
  },
  'ask-for-none': { field: 'gpu.count', required: '1', beside: [] },
  'pay-more': { required: '0.02 USD per hour', available: '0.05 USD per hour', beside: [] },
  'pay-in-their-currency': { required: 'EUR', available: 'USD', beside: [] },
  'raise-budget': {},
  'wait-for-room': { busy: 2, queue },
  'take-off-exclusion': two,
  'ask-to-be-let-in': { ...two, self: '12D3S' },
  undrain: { ...two, queue },
  'be-known-first': {},
  'try-later': { queue },
  'check-preferred': two,
  'start-a-provider': {},
};

const sizes = { required: '2 GiB', available: '1 GiB' };
const notMet = {
  code: 'field-not-met',
  data: { field: 'cpu', required: '4', available: '2' },
} as const;

export const refusal: Samples<RefusalReasons> = {
  draining: {},
  'requester-not-served': {},
  'not-verified': { text: 'It shows no credential.' },
  'too-many-executions': {},
  'too-many-negotiations': {},
  'too-many-requests': { of: 'requester' },
  'too-many-unbegun': {},
  'too-many-unsettled': {},
  'timeout-too-long': {},
  'other-currency-taken': {},
  'over-budget': {},
  'fits-less-well': {},
  'does-not-fit': {},
  'field-not-met': notMet.data,
  'taken-meanwhile': { why: notMet },
  'kept-for-established': { why: notMet },
  'strangers-content-full': sizes,
  'inputs-over-quota': sizes,
  'content-full': sizes,
  'disk-full': sizes,
  'disk-takes-no-writes': { error: 'EROFS' },
  'no-place-left': {},
  'bid-expired': {},
  'accepted-too-late': {},
  'contract-given-up': {},
  'contract-exists': {},
  'lock-expired': {},
  'lock-not-held': {},
  'inputs-too-large': {},
  'terms-too-long': {},
  'not-by-its-signer': {},
  'of-another-provider': {},
  'of-another-job': {},
  'of-another-execution': {},
  'of-another-partition': {},
  'of-another-invocation': {},
  'price-not-as-bid': {},
  'resources-not-as-asked': {},
  'times-over-bid': {},
  'engine-not-as-asked': {},
  'program-not-right': { place: 'args.0', fault: 'a NUL is in it' },
  'never-accepted': {},
};
