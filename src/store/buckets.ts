import { assert } from '../lib/assert.ts';

/**
 * The registry of sub-levels. An entry lies under `<bucket>!<key>`. A name is never used again for something else:
 * what is retired stays here as a comment.
 */
export const buckets = {
  /** name -> bytes that the owner of the name understands; `format` is the store's own */
  meta: 'meta',

  /** `lived` -> LivedTimeRecord: how long the node has lived; `calendar` -> CalendarRecord: its wall times */
  clock: 'clock',

  /** jobId -> Job */
  job: 'job',
  /** jobId -> JobHead: revision, last event, last search round */
  jobHead: 'job-head',
  /** createdAt/jobId -> JobSummary: what a list is filtered by */
  jobListing: 'job-listing',
  /** createdAt/jobId -> nothing: jobs that are not in an end state */
  jobOpen: 'job-open',
  /** finishedAt/jobId -> nothing: jobs in an end state, for retention */
  jobFinished: 'job-finished',
  /** jobId -> nothing: jobs that are gone and whose parts are being removed */
  jobPruning: 'job-pruning',
  /** jobId/executionId -> Execution */
  execution: 'execution',
  /** jobId/round -> Search */
  search: 'search',
  /** jobId/contractId -> ContractRecord, the requester's copy */
  contract: 'contract',
  /** contractId -> nothing: the requester's contracts whose fate is not known yet */
  contractProposed: 'contract-proposed',
  /** contractId -> ContractOwner: whose contract it is */
  contractOwner: 'contract-owner',
  /** Retired: jobId/evaluationId -> what version 0.1.0 kept of an evaluation */
  evaluation: 'evaluation',
  /** jobId/seq -> StoredEvent */
  event: 'event',
  /** key of the caller -> IdempotencyRecord */
  idempotency: 'idempotency',

  /** lockId -> Lease that is held or committed */
  lease: 'lease',
  /** `highest` -> LockVersion: the highest fencing token ever given */
  lockVersion: 'lock-version',
  /** executionId -> ProviderExecution */
  providerExecution: 'provider-execution',
  /** contractId -> ContractRecord, the provider's copy */
  providerContract: 'provider-contract',
  /** contractId -> StoredNever: what this provider has not accepted and never will */
  providerNever: 'provider-never',
  /** requestId -> BidAnswer */
  answer: 'answer',
  /** answeredAt/requestId -> nothing: answers by age */
  answerAge: 'answer-age',

  /** peerId -> StoredAdvert: the newest advert of another node */
  advert: 'advert',

  /** cid -> StoredObject: content that is here in full */
  contentObject: 'content-object',
  /** cid -> the bytes of a small block */
  contentBlock: 'content-block',
  /** owner/cid -> nothing: who keeps which content */
  contentPin: 'content-pin',

  /** role/peerId -> StoredStrikes: what is held against a peer in the role of provider or of requester */
  strike: 'strike',
} as const;

export type BucketName = (typeof buckets)[keyof typeof buckets];

const TIME_DIGITS = 16;
const COUNT_DIGITS = 10;
const LONGEST_KEY = 1024;
const LONGEST_PART = 512;

/** A key of one bucket. Only the last part may hold a `/`, so no key of one owner looks like that of another. */
export function keyOf(first: string, ...rest: readonly string[]): string {
  let key = first;
  let last = first;
  for (const part of rest) {
    assert(last !== '', 'a key part is empty');
    assert(!last.includes('/'), 'a key part contains /');
    key += `/${part}`;
    last = part;
  }
  assert(last !== '' && isKey(key), 'a key is empty, too long or not well-formed');
  return key;
}

/** True when `text` can be a key. What is not one names nothing in the store. */
export function isKey(text: string): boolean {
  return text !== '' && text.length <= LONGEST_KEY && text.isWellFormed();
}

/** True when `text` can be any part of a key. */
export function isKeyPart(text: string): boolean {
  return isKey(text) && text.length <= LONGEST_PART && !text.includes('/');
}

/** One change asks for the same time several times. */
let lastTime: { readonly timeMs: number; readonly key: string } = { timeMs: Number.NaN, key: '' };

/** A time as key part: sorts as the number does. */
export function timeKey(timeMs: number): string {
  assert(timeMs >= 0 && Number.isFinite(timeMs), 'a time in a key is negative');
  if (timeMs === lastTime.timeMs) return lastTime.key;
  const key = Math.floor(timeMs).toString().padStart(TIME_DIGITS, '0');
  lastTime = { timeMs, key };
  return key;
}

/** A count as key part: sorts as the number does. */
export function countKey(count: number): string {
  assert(Number.isSafeInteger(count) && count >= 0, 'a count in a key is not a whole number');
  return count.toString().padStart(COUNT_DIGITS, '0');
}
