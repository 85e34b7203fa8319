import { z } from 'zod';
import { exampleBid, exampleContract, exampleExplanation } from '../examples/market-examples.ts';
import { exampleJob, exampleJobSummary } from '../examples/job-examples.ts';
import type { Operation } from '../operation.ts';
import { wholeNumber } from '../query.ts';
import { bidPageShape } from '../shapes/bid.ts';
import { contractPageShape } from '../shapes/contract.ts';
import { explanationShape } from '../shapes/explanation.ts';
import { jobPageShape, jobShape, jobStateShape } from '../shapes/job.ts';

/** Of an idempotency key, in visible ASCII characters. */
export const LONGEST_KEY = 255;
/** A shorter beginning of an id would be that of every job of a whole month. */
const SHORTEST_ID_PREFIX = 4;
const LARGEST_PAGE = 500;

export const postJob = {
  id: 'postJob',
  method: 'post',
  path: '/orchestrator/postJob',
  tag: 'jobs',
  summary: 'Posts a job',
  description:
    'The job is on disk when the answer comes; Location names it. With dryRun=true nothing is posted: the node searches, and answers with what it found.',
  query: z.strictObject({
    dryRun: z
      .enum(['true', 'false'])
      .transform((text) => text === 'true')
      .default(false)
      .describe('Search and rank, and post nothing.'),
  }),
  headers: z.object({
    'Idempotency-Key': z
      .string()
      .max(LONGEST_KEY)
      .describe('The same key with the same bytes gives the same job again.')
      .optional(),
  }),
  body: 'job',
  answers: {
    200: {
      description: 'With dryRun=true: what a search found. Nothing was posted.',
      json: explanationShape,
      example: exampleExplanation,
    },
    202: {
      description: 'Accepted. No body; Location names the job.',
      headers: { Location: '/orchestrator/jobs/{id}' },
    },
  },
  refusals: [
    'MALFORMED_BODY',
    'INVALID_JOB',
    'BODY_TOO_LARGE',
    'COMMIT_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'IDEMPOTENCY_CONFLICT',
    'INPUT_UNAVAILABLE',
    'TOO_MANY_JOBS',
    'BODIES_FULL',
    'READER_BUSY',
    'STORE_BUSY',
    'STORE_FAILED',
    'DISK_FULL',
    'QUOTA_EXCEEDED',
  ],
} as const satisfies Operation;

export const listJobs = {
  id: 'listJobs',
  method: 'get',
  path: '/orchestrator/jobs',
  tag: 'jobs',
  summary: 'Lists jobs',
  description:
    'The jobs of this node, newest first, filtered by state, name or label (key:value), or those whose ids begin with idPrefix.',
  query: z.strictObject({
    state: jobStateShape.describe('Just those in this state.').optional(),
    name: z.string().max(128).describe('Just this name.').optional(),
    label: z
      .string()
      .regex(/^[^:]{1,63}:.{0,253}$/, 'expected key:value')
      .describe('A label as key:value.')
      .optional(),
    limit: wholeNumber(1, LARGEST_PAGE).describe('On one page; 50 when not given.').default(50),
    cursor: z.string().max(256).describe('The nextCursor of the page before.').optional(),
    idPrefix: z
      .string()
      .regex(
        new RegExp(`^[0-9A-Za-z-]{${SHORTEST_ID_PREFIX},64}$`),
        `expected the first ${SHORTEST_ID_PREFIX} to 64 characters of an id`,
      )
      .describe('How an id begins; goes with limit alone.')
      .optional(),
  }),
  answers: { 200: { description: 'One page.', json: jobPageShape, example: { items: [exampleJobSummary] } } },
  refusals: ['CURSOR_INVALID'],
} as const satisfies Operation;

export const getJob = {
  id: 'getJob',
  method: 'get',
  path: '/orchestrator/jobs/{id}',
  tag: 'jobs',
  summary: 'One job with its executions',
  description: 'Executions are in the order of partition and attempt.',
  answers: { 200: { description: 'The job.', json: jobShape, example: exampleJob } },
  refusals: ['JOB_NOT_FOUND'],
} as const satisfies Operation;

export const listBids = {
  id: 'listBids',
  method: 'get',
  path: '/orchestrator/jobs/{id}/bids',
  tag: 'jobs',
  summary: 'The bids for a job',
  description: 'Ranked, with what became of each: one line per provider, its newest bid.',
  answers: {
    200: {
      description: 'Newest round first, best first.',
      json: bidPageShape,
      example: { items: [exampleBid] },
    },
  },
  refusals: ['JOB_NOT_FOUND'],
} as const satisfies Operation;

export const explainJob = {
  id: 'explainJob',
  method: 'get',
  path: '/orchestrator/jobs/{id}/explain',
  tag: 'jobs',
  summary: 'Why a job is where it is',
  description: 'Every bid with its ranks, every no, what came nearest, and what would have helped.',
  answers: {
    200: {
      description: 'For the newest round; seenAtLeast is a lower bound.',
      json: explanationShape,
      example: exampleExplanation,
    },
  },
  refusals: ['JOB_NOT_FOUND'],
} as const satisfies Operation;

export const listContracts = {
  id: 'listContracts',
  method: 'get',
  path: '/orchestrator/jobs/{id}/contracts',
  tag: 'jobs',
  summary: 'The contracts of a job',
  description: 'One per execution. Times and durations of the terms are in milliseconds, bytes are base64.',
  answers: {
    200: {
      description: 'Terms as they were signed, and the signatures.',
      json: contractPageShape,
      example: { items: [exampleContract] },
    },
  },
  refusals: ['JOB_NOT_FOUND'],
} as const satisfies Operation;

export const cancelJob = {
  id: 'cancelJob',
  method: 'post',
  path: '/orchestrator/jobs/{id}/cancel',
  tag: 'jobs',
  summary: 'Asks for the end of a job',
  description: 'The wish is on disk when the answer comes. Again is the same.',
  answers: {
    202: { description: 'The job reads Stopped once the wish is carried out. No body.' },
  },
  refusals: ['JOB_NOT_FOUND', 'JOB_FINISHED', 'REVISION_CONFLICT', 'STORE_BUSY', 'STORE_FAILED', 'DISK_FULL'],
} as const satisfies Operation;
