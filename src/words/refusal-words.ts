import type { RefusalReasons } from '../domain/market/refusal-reason.ts';
import { saying, type Words } from './words.ts';

/** A provider's no, as its requesters are told. */
export const refusalWords: Words<RefusalReasons> = {
  draining: () => 'This node takes no new work.',
  'requester-not-served': () => 'This node does not serve this requester.',
  'not-verified': ({ text }) => text,
  'too-many-executions': () => 'This node runs as many executions as it may.',
  'too-many-negotiations': () => 'This node has as many negotiations open as it may.',
  'too-many-requests': ({ of }) => {
    const whose = of === 'requester' ? 'this requester' : 'requesters it has not worked for';
    return `This node takes no more requests of ${whose} for now.`;
  },
  'too-many-unbegun': () =>
    'This node waits for as many contracts of this requester, or of its network, to begin as it may.',
  'too-many-unsettled': () =>
    'This node keeps as many ends of contracts as it may for requesters that it has not worked for and that do not take them.',
  'timeout-too-long': () => 'The execution timeout is longer than this node allows.',
  'other-currency-taken': () => 'This node takes another currency than the budget is in.',
  'over-budget': () => 'The price of this node is over the budget.',
  'fits-less-well': () => 'Others were asked first, on which the job sits better.',
  'does-not-fit': () => 'The requirements do not fit.',
  'field-not-met': ({ field, required, available }) => `${field}: ${required} asked, ${available} here.`,
  'taken-meanwhile': ({ why }) => `Taken by another job in the meantime. ${refusalSentence(why)}`,
  'kept-for-established': ({ why }) =>
    `${refusalSentence(why)} The rest is kept for requesters that this node has worked for (provider.establishedPercent).`,
  'strangers-content-full': ({ required, available }) =>
    `The content store of this node has ${available} left for programs, inputs and results of requesters that it has not worked for, and ${required} are needed.`,
  'inputs-over-quota': ({ required, available }) =>
    `The inputs have ${required}, and the content store of this node takes ${available} in all (limits.contentQuotaBytes).`,
  'content-full': ({ required, available }) =>
    `The content store of this node is full (limits.contentQuotaBytes): ${required} needed, ${available} free.`,
  'disk-full': ({ required, available }) =>
    `The disk of this node is full (dataDir): ${available} free, some of it spoken for, and the job may write ${required}.`,
  'disk-takes-no-writes': ({ error }) => `The disk of this node takes no writes (dataDir: ${error}).`,
  'no-place-left': () => 'The bid offered no more places than were locked already.',
  'bid-expired': () => 'The bid does not stand any more. Ask for bids again.',
  'accepted-too-late': () => 'The time to accept the proposal is over.',
  'contract-given-up': () => 'This contract was given up before.',
  'contract-exists': () => 'There is a contract for this execution.',
  'lock-expired': () => 'The lock was granted before and has run out.',
  'lock-not-held': () => 'The lock that the proposal names is not held for it any more.',
  'inputs-too-large': () => 'The program and its inputs are larger than this node takes.',
  'terms-too-long': () => 'The terms ask for a longer time than this node allows.',
  'not-by-its-signer': () => 'The proposal was not signed by the peer that sent it.',
  'of-another-provider': () => 'The proposal names another provider.',
  'of-another-job': () => 'The proposal is for another job than the bid.',
  'of-another-execution': () => 'The execution id is not one of this job, partition and attempt.',
  'of-another-partition': () => 'The invocation is for another partition than the terms.',
  'of-another-invocation': () => 'The invocation is not the one that the terms name.',
  'price-not-as-bid': () => 'The price is not the one that was bid.',
  'resources-not-as-asked': () => 'The resources are not the ones that were asked for.',
  'times-over-bid': () => 'The times are longer than the bid allows.',
  'engine-not-as-asked': () => 'The engine is not the one that was asked for.',
  'program-not-right': ({ place, fault }) => `${place}: ${fault}.`,
  'never-accepted': () => 'No proposal with this id was accepted here.',
};

export const refusalSentence = saying(refusalWords);
