import { hash } from 'node:crypto';
import { CodedError } from '../../lib/coded-error.ts';
import {
  cancelJob,
  explainJob,
  getJob,
  LONGEST_KEY,
  listBids,
  listContracts,
  listJobs,
  postJob,
} from '../../openapi/operations/job-operations.ts';
import { admittedBodyOf } from '../body-admission.ts';
import { readJob } from '../job-body.ts';
import { findJob } from '../job-lookup.ts';
import type { RouteContext } from '../needs.ts';
import { viewBids } from '../views/bid-view.ts';
import { viewContract } from '../views/contract-view.ts';
import { viewExplanation } from '../views/explanation-view.ts';
import { viewJob, viewJobSummary } from '../views/job-view.ts';
import { invalidQuery, noQuery, parameter, queryOf, type Route } from './route.ts';

export function jobRoutes(context: RouteContext): readonly Route[] {
  const { orchestrator, calendar } = context;
  return [
    postRoute(context),
    listRoute(context),
    {
      operation: getJob,
      handle: async (c) => {
        noQuery(c);
        return c.json(viewJob(await findJob(orchestrator, parameter(c, 'id')), calendar));
      },
    },
    {
      operation: listBids,
      handle: async (c) => {
        noQuery(c);
        const jobId = parameter(c, 'id');
        const { executions } = await findJob(orchestrator, jobId);
        return c.json({ items: viewBids(await orchestrator.searches(jobId), executions) });
      },
    },
    explainRoute(context),
    {
      operation: listContracts,
      handle: async (c) => {
        noQuery(c);
        const jobId = parameter(c, 'id');
        await findJob(orchestrator, jobId);
        return c.json({ items: (await orchestrator.contracts(jobId)).map(viewContract) });
      },
    },
    {
      operation: cancelJob,
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
    operation: explainJob,
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
    operation: postJob,
    handle: async (c) => {
      const { dryRun } = queryOf(c, postJob.query);
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
    operation: listJobs,
    handle: async (c) => {
      const { state, name, label, limit, cursor, idPrefix } = queryOf(c, listJobs.query);
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
