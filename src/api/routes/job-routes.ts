import { hash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { jobDescription } from '../../domain/job/job-description.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { admittedBodyOf } from '../body-admission.ts';
import { readJob } from '../job-body.ts';
import { findJob } from '../job-lookup.ts';
import type { RouteContext } from '../needs.ts';
import { bidView, viewBids } from '../views/bid-view.ts';
import { contractView, viewContract } from '../views/contract-view.ts';
import { explanationView, viewExplanation } from '../views/explanation-view.ts';
import { jobSummaryView, jobView, viewJob, viewJobSummary } from '../views/job-view.ts';
import {
  invalidQuery,
  jsonAnswer,
  listOf,
  noQuery,
  parameter,
  queryOf,
  type Route,
  wholeNumber,
} from './route.ts';

const LONGEST_KEY = 255;
/** A shorter beginning of an id would be that of every job of a whole month. */
const SHORTEST_ID_PREFIX = 4;
const LARGEST_PAGE = 500;

const jobFilter = z.strictObject({
  state: z.enum(['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped']).optional(),
  name: z.string().max(128).optional(),
  label: z
    .string()
    .regex(/^[^:]{1,63}:.{0,253}$/, 'expected key:value')
    .optional(),
  limit: wholeNumber(1, LARGEST_PAGE).default(50),
  cursor: z.string().max(256).optional(),
  idPrefix: z
    .string()
    .regex(
      new RegExp(`^[0-9A-Za-z-]{${SHORTEST_ID_PREFIX},64}$`),
      `expected the first ${SHORTEST_ID_PREFIX} to 64 characters of an id`,
    )
    .optional(),
});

const postQuery = z.strictObject({
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
});

export function jobRoutes(context: RouteContext): readonly Route[] {
  const { orchestrator, calendar } = context;
  return [
    postRoute(context),
    listRoute(context),
    {
      method: 'get',
      path: '/orchestrator/jobs/{id}',
      summary: 'One job with its executions.',
      responses: { 200: jsonAnswer('The job.', jobView) },
      handle: async (c) => {
        noQuery(c);
        return c.json(viewJob(await findJob(orchestrator, parameter(c, 'id')), calendar));
      },
    },
    {
      method: 'get',
      path: '/orchestrator/jobs/{id}/bids',
      summary: 'The bids for a job, ranked, with what became of each.',
      responses: { 200: jsonAnswer('Newest round first, best first.', listOf(bidView)) },
      handle: async (c) => {
        noQuery(c);
        const jobId = parameter(c, 'id');
        const { executions } = await findJob(orchestrator, jobId);
        return c.json({ items: viewBids(await orchestrator.searches(jobId), executions) });
      },
    },
    explainRoute(context),
    {
      method: 'get',
      path: '/orchestrator/jobs/{id}/contracts',
      summary: 'The contracts of a job, one per execution.',
      responses: { 200: jsonAnswer('Terms as they were signed, and the signatures.', listOf(contractView)) },
      handle: async (c) => {
        noQuery(c);
        const jobId = parameter(c, 'id');
        await findJob(orchestrator, jobId);
        return c.json({ items: (await orchestrator.contracts(jobId)).map(viewContract) });
      },
    },
    {
      method: 'post',
      path: '/orchestrator/jobs/{id}/cancel',
      summary: 'Asks for the end of a job.',
      responses: {
        202: { description: 'The wish is on disk; the job reads Stopped once it is carried out.' },
      },
      handle: async (c) => {
        noQuery(c);
        await orchestrator.cancelJob(parameter(c, 'id'));
        return c.body(null, 202, { 'Content-Length': '0' });
      },
    },
  ];
}

function explainRoute({ orchestrator }: RouteContext): Route {
  return {
    method: 'get',
    path: '/orchestrator/jobs/{id}/explain',
    summary: 'Why a job is where it is: every bid with its ranks, every no, and what came nearest.',
    responses: { 200: jsonAnswer('For the newest round; seenAtLeast is a lower bound.', explanationView) },
    handle: async (c) => {
      noQuery(c);
      const jobId = parameter(c, 'id');
      await findJob(orchestrator, jobId);
      return c.json(viewExplanation(await orchestrator.explain(jobId)));
    },
  };
}

function postRoute({ orchestrator, bodies, documents }: RouteContext): Route {
  return {
    method: 'post',
    path: '/orchestrator/postJob',
    summary: 'Posts a job; it is on disk when the answer comes. With dryRun=true only searches for it.',
    query: postQuery,
    request: {
      headers: z.object({ 'Idempotency-Key': z.string().max(LONGEST_KEY).optional() }),
      body: {
        required: true,
        content: {
          'application/json': { schema: jobDescription },
          'application/yaml': { schema: jobDescription },
        },
      },
    },
    responses: {
      200: jsonAnswer('With dryRun=true: what a search found. Nothing was posted.', explanationView),
      202: {
        description: 'Accepted. No body; Location names the job.',
        headers: { Location: { schema: { type: 'string' }, description: '/orchestrator/jobs/{id}' } },
      },
    },
    handle: async (c) => {
      const { dryRun } = queryOf(c, postQuery);
      const encoding = c.req.header('content-encoding');
      if (encoding !== undefined && encoding !== 'identity') {
        throw new CodedError('UNSUPPORTED_MEDIA_TYPE', 'Send the job without Content-Encoding.');
      }
      const idempotencyKey = checkKey(c.req.header('idempotency-key'));
      const body = await bodies.whole(c.req.raw, admittedBodyOf(c));
      try {
        const bodyDigest = hash('sha256', body.bytes, 'base64url');
        const description = await readJob(documents, body.bytes, c.req.header('content-type'));
        if (dryRun) {
          // A search takes seconds, and needs the body no longer.
          body.release();
          return c.json(viewExplanation(await orchestrator.dryRun(description)));
        }
        const { jobId } = await orchestrator.postJob(description, {
          bodyDigest,
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        });
        return c.body(null, 202, { Location: `/orchestrator/jobs/${jobId}`, 'Content-Length': '0' });
      } finally {
        body.release();
      }
    },
  };
}

function listRoute({ orchestrator, calendar }: RouteContext): Route {
  return {
    method: 'get',
    path: '/orchestrator/jobs',
    summary:
      'The jobs of this node, newest first, filtered by state, name or label (key:value), or those whose ids begin with idPrefix.',
    query: jobFilter,
    responses: { 200: jsonAnswer('One page.', listOf(jobSummaryView)) },
    handle: async (c) => {
      const { state, name, label, limit, cursor, idPrefix } = queryOf(c, jobFilter);
      if (idPrefix !== undefined) {
        const other = Object.entries({ state, name, label, cursor }).find(([, value]) => value !== undefined);
        if (other !== undefined) {
          throw invalidQuery([
            {
              path: other[0],
              code: 'conflict',
              message: 'does not go with idPrefix, which is looked up alone',
            },
          ]);
        }
      }
      const page = await orchestrator.jobs({
        limit,
        ...(state === undefined ? {} : { state }),
        ...(name === undefined ? {} : { name }),
        ...(label === undefined ? {} : { label: splitLabel(label) }),
        ...(cursor === undefined ? {} : { cursor }),
        ...(idPrefix === undefined ? {} : { idPrefix }),
      });
      return c.json({
        items: page.items.map((snapshot) => viewJobSummary(snapshot, calendar)),
        ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
      });
    },
  };
}

function splitLabel(label: string): { readonly key: string; readonly value: string } {
  const colon = label.indexOf(':');
  return { key: label.slice(0, colon), value: label.slice(colon + 1) };
}

function checkKey(key: string | undefined): string | undefined {
  if (key === undefined || new RegExp(`^[\\x21-\\x7e]{1,${LONGEST_KEY}}$`).test(key)) return key;
  throw invalidQuery([
    {
      path: 'Idempotency-Key',
      code: 'invalid_format',
      message: `expected 1 to ${LONGEST_KEY} visible ASCII characters`,
    },
  ]);
}
