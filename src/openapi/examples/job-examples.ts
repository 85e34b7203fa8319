import type { JobEvent } from '../shapes/event.ts';
import type { Job, JobSummary } from '../shapes/job.ts';
import type { Result } from '../shapes/result.ts';

export const EXAMPLE_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
export const EXAMPLE_PROVIDER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';
const JOB_ID = '01901234-5678-7abc-8def-0123456789ab';
export const EXAMPLE_EXECUTION = `${JOB_ID}.v1.p0r0.a1`;

export const exampleJobDescription = {
  name: 'hello',
  engine: { type: 'python', params: { script: { text: 'print("Hello")' } } },
  resources: { cpu: '500m', memory: '256MiB' },
  budget: { maxPrice: '0.10', currency: 'USD', per: 'hour' },
};

export const exampleJobSummary: JobSummary = {
  id: JOB_ID,
  name: 'hello',
  type: 'batch',
  state: 'Completed',
  count: 1,
  version: 1,
  createdAt: '2030-01-01T00:00:00.000Z',
  finishedAt: '2030-01-01T00:00:02.000Z',
  exitCode: 0,
  providers: [EXAMPLE_PROVIDER],
  partitions: { waiting: 0, negotiating: 0, running: 0, completed: 1, failed: 0 },
};

export const exampleJob: Job = {
  ...exampleJobSummary,
  executions: [
    {
      id: EXAMPLE_EXECUTION,
      provider: EXAMPLE_PROVIDER,
      partition: 0,
      attempt: 1,
      observedState: 'Completed',
      desiredState: 'Running',
      contractId: EXAMPLE_CID,
      price: { amount: '0.02', currency: 'USD', per: 'hour' },
      startedAt: '2030-01-01T00:00:01.000Z',
      finishedAt: '2030-01-01T00:00:02.000Z',
      exitCode: 0,
      exitReason: 'completed',
    },
  ],
};

export const exampleEvent: JobEvent = {
  seq: 5,
  at: '2030-01-01T00:00:01.000Z',
  type: 'contract.accepted',
  executionId: EXAMPLE_EXECUTION,
  partition: 0,
  provider: EXAMPLE_PROVIDER,
};

export const exampleResult: Result = {
  executionId: EXAMPLE_EXECUTION,
  partition: 0,
  files: [{ path: 'stdout', size: 6, cid: EXAMPLE_CID }],
};
