import type { SignedMessage } from '../../../src/messages/message.ts';
import { advertMessage } from '../../../src/messages/advert.ts';
import { bidMessage } from '../../../src/messages/bid.ts';
import { bidRequestMessage } from '../../../src/messages/bid-request.ts';
import { contractNeverMessage } from '../../../src/messages/contract-never.ts';
import { contractTermsMessage } from '../../../src/messages/contract-terms.ts';
import { declineMessage } from '../../../src/messages/decline.ts';
import { jobRequestMessage } from '../../../src/messages/job-request.ts';
import { searchClosedMessage } from '../../../src/messages/search-closed.ts';
import { servingAnswerMessage, servingListMessage } from '../../../src/messages/serving.ts';
import * as sample from './samples.ts';

/** One of each signed message, with all that it may say. */
export function everyMessage(
  requester: string,
  provider: string,
): readonly (readonly [SignedMessage<unknown>, object])[] {
  return [
    [bidRequestMessage, sample.bidRequest({ features: ['job.batch'] })],
    [searchClosedMessage, { requestId: 'request-1' }],
    [advertMessage, sample.advert({ features: ['job.batch', 'logs.follow'] })],
    [bidMessage, sample.bid()],
    [bidMessage, sample.bid({ startsInMs: 400 })],
    [bidMessage, sample.bid({ lock: { lockId: 'l', version: 4, ttlMs: 5000 }, executionId: 'e' })],
    [declineMessage, sample.decline({ field: 'memory', required: '2', available: '1', retryAfterMs: 10 })],
    [jobRequestMessage, sample.jobRequest()],
    [contractTermsMessage, sample.terms(requester, provider)],
    [contractNeverMessage, { contractId: sample.SOME_CID, reason: 'declined' }],
    [servingListMessage, sample.servingList(4)],
    [servingAnswerMessage, { number: 4, desired: [{ executionId: 'e', attempt: 1, desired: 'done' }] }],
  ];
}
