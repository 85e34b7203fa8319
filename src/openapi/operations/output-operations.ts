import { z } from 'zod';
import { exampleEvent, exampleResult } from '../examples/job-examples.ts';
import type { Operation } from '../operation.ts';
import { flag, wholeNumber } from '../query.ts';
import { jobEventPageShape } from '../shapes/event.ts';
import { logStreamShape } from '../shapes/log.ts';
import { resultPageShape } from '../shapes/result.ts';

/** Events on a page. */
const LARGEST_EVENT_PAGE = 1000;
/** Files of results on a page. */
const LARGEST_RESULT_PAGE = 5000;

/** The number of an event. */
export const sequence = z
  .string()
  .regex(/^\d{1,15}$/, 'expected the number of an event')
  .transform(Number);

const lastEventId = z.string().describe('Resumes a stream of events behind this one.').optional();

export const jobEvents = {
  id: 'jobEvents',
  method: 'get',
  path: '/orchestrator/jobs/{id}/events',
  tag: 'output',
  summary: 'What happened to a job',
  description:
    'Oldest first, as pages; nextCursor is the last number on a page. With Accept: text/event-stream as server-sent events that go on until the client leaves; Last-Event-ID resumes.',
  query: z.strictObject({
    cursor: sequence.describe('The number of the last event that is known.').optional(),
    limit: wholeNumber(1, LARGEST_EVENT_PAGE).describe('On one page; 200 when not given.').default(200),
  }),
  headers: z.object({ 'Last-Event-ID': lastEventId }),
  answers: {
    200: {
      description:
        'One page, or the stream: each event has seq as its id, type as its name, and a JobEvent as data.',
      json: jobEventPageShape,
      example: { items: [exampleEvent] },
      media: ['text/event-stream'],
    },
  },
  refusals: ['CURSOR_INVALID', 'JOB_NOT_FOUND', 'TOO_MANY_STREAMS', 'TOO_MANY_WATCHERS'],
} as const satisfies Operation;

export const jobLogs = {
  id: 'jobLogs',
  method: 'get',
  path: '/orchestrator/jobs/{id}/logs',
  tag: 'output',
  summary: 'What a program printed',
  description:
    'From a byte offset; with follow until the execution ends. With Accept: text/event-stream as server-sent events that name every attempt, missing bytes and the end; Last-Event-ID resumes.',
  query: z.strictObject({
    follow: flag.describe('Wait for what is still to come.'),
    stream: logStreamShape.describe('stdout when not given.').default('stdout'),
    from: wholeNumber(0, Number.MAX_SAFE_INTEGER).describe('Skip so many bytes.').default(0),
    execution: z.string().max(256).describe('Of this attempt alone.').optional(),
    partition: wholeNumber(0, 999_999)
      .describe('The newest attempt of this one that ran; 0 when not given.')
      .optional(),
  }),
  headers: z.object({ 'Last-Event-ID': lastEventId }),
  answers: { 200: { description: 'The bytes, or the events.', media: ['text/plain', 'text/event-stream'] } },
  refusals: [
    'JOB_NOT_FOUND',
    'EXECUTION_NOT_FOUND',
    'LOGS_UNAVAILABLE',
    'TOO_MANY_STREAMS',
    'TOO_MANY_WATCHERS',
  ],
} as const satisfies Operation;

export const listResults = {
  id: 'listResults',
  method: 'get',
  path: '/orchestrator/jobs/{id}/results',
  tag: 'output',
  summary: 'The result files of a job',
  description:
    'By partition: stdout, stderr, exit.json and outputs/NAME/…. A result that is cut goes on with the next page, under the same executionId.',
  query: z.strictObject({
    limit: wholeNumber(1, LARGEST_RESULT_PAGE)
      .describe('Files on a page; 1000 when not given.')
      .default(1000),
    cursor: z.string().max(512).describe('The nextCursor of the page before.').optional(),
  }),
  answers: {
    200: { description: 'One page.', json: resultPageShape, example: { items: [exampleResult] } },
  },
  refusals: ['CURSOR_INVALID', 'JOB_NOT_FOUND', 'CONTENT_INVALID'],
} as const satisfies Operation;

export const getResultFile = {
  id: 'getResultFile',
  method: 'get',
  path: '/orchestrator/jobs/{id}/results/{path}',
  tag: 'output',
  summary: 'One result file',
  description:
    'Jobs with several partitions name one first: p0/stdout. Each part of the path is percent-encoded.',
  answers: { 200: { description: 'The bytes.', media: ['application/octet-stream', 'text/plain'] } },
  refusals: [
    'PARTITION_REQUIRED',
    'JOB_NOT_FOUND',
    'RESULT_NOT_FOUND',
    'CONTENT_UNAVAILABLE',
    'CONTENT_INVALID',
    'TOO_MANY_STREAMS',
  ],
} as const satisfies Operation;
