import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/coded-error.ts';
import {
  contract,
  CREATED_AT,
  event,
  execution,
  explanation,
  jobSnapshot,
  placedExplanation,
  search,
  told,
} from './samples.ts';
import { viewExplanation } from '../../../src/api/views/explanation-view.ts';
import { inProcess, scriptedNode } from './scripted-node.ts';

async function read(path: string, node = scriptedNode()): Promise<unknown> {
  const response = await inProcess(node).request(path);
  expect(response.status).toBe(200);
  return response.json();
}

describe('GET /orchestrator/jobs/{id}', () => {
  it('shows the job with its executions in order', async () => {
    const node = scriptedNode();
    const end = {
      finishedAt: CREATED_AT + 2000,
      exitReason: 'exit-code',
      exitCode: 3,
      why: told('ended'),
    } as const;
    node.orchestrator.snapshots.set(
      'job-1',
      jobSnapshot({ state: 'Failed', why: told('it failed'), count: 2 }, [
        execution({ state: 'AskForBid', askedAt: 1 }, { id: 'b', partition: 1, contractId: 'proposed-only' }),
        execution(
          { state: 'Failed', contractId: 'contract-1', startedAt: CREATED_AT + 1000, end },
          { desired: 'Stopped' },
        ),
      ]),
    );
    expect(await read('/orchestrator/jobs/job-1', node)).toEqual({
      id: 'job-1',
      name: 'hello',
      type: 'batch',
      state: 'Failed',
      reason: 'it failed',
      why: told('it failed'),
      version: 1,
      createdAt: '2030-01-01T00:00:00.000Z',
      count: 2,
      exitCode: 3,
      providers: ['peer-a'],
      partitions: { waiting: 0, negotiating: 0, running: 0, completed: 0, failed: 2 },
      executions: [
        {
          id: 'job-1.v1.p0r0.a1',
          provider: 'peer-a',
          partition: 0,
          attempt: 1,
          observedState: 'Failed',
          desiredState: 'Stopped',
          contractId: 'contract-1',
          price: { amount: '0.02', currency: 'USD', per: 'hour' },
          startedAt: '2030-01-01T00:00:01.000Z',
          finishedAt: '2030-01-01T00:00:02.000Z',
          exitCode: 3,
          exitReason: 'exit-code',
          message: 'ended',
          why: told('ended'),
        },
        {
          id: 'b',
          provider: 'peer-a',
          partition: 1,
          attempt: 1,
          observedState: 'AskForBid',
          desiredState: 'Running',
          price: { amount: '0.02', currency: 'USD', per: 'hour' },
        },
      ],
    });
  });

  it.each(['', '/events', '/bids', '/explain', '/logs', '/results', '/results/stdout', '/contracts'])(
    'answers 404 with the next step for an unknown job: %s',
    async (suffix) => {
      const response = await inProcess(scriptedNode()).request(`/orchestrator/jobs/nope${suffix}`);
      expect(await response.json()).toMatchObject({
        status: 404,
        code: 'JOB_NOT_FOUND',
        detail: expect.stringContaining('/orchestrator/jobs'),
      });
    },
  );
});

describe('GET /orchestrator/jobs', () => {
  it('passes the filters on and gives one page', async () => {
    const node = scriptedNode();
    node.orchestrator.page = { items: [jobSnapshot()], nextCursor: 'next' };
    const list = await read(
      '/orchestrator/jobs?state=Running&name=hello&label=team:a:b&limit=7&cursor=c',
      node,
    );
    expect(node.orchestrator.filters).toEqual([
      { state: 'Running', name: 'hello', label: { key: 'team', value: 'a:b' }, limit: 7, cursor: 'c' },
    ]);
    expect(list).toMatchObject({ items: [{ id: 'job-1', state: 'Running' }], nextCursor: 'next' });
  });

  it('finds jobs by the beginning of their ids, and by nothing else with it', async () => {
    const node = scriptedNode();
    node.orchestrator.page = { items: [jobSnapshot()] };
    expect(await read('/orchestrator/jobs?idPrefix=job-&limit=3', node)).toMatchObject({
      items: [{ id: 'job-1' }],
    });
    expect(node.orchestrator.filters).toEqual([{ idPrefix: 'job-', limit: 3 }]);
    for (const other of ['state=Running', 'name=a', 'label=a:b', 'cursor=c']) {
      const response = await inProcess(node).request(`/orchestrator/jobs?idPrefix=job-&${other}`);
      expect(await response.json()).toMatchObject({
        code: 'INVALID_QUERY',
        errors: [{ path: other.split('=')[0], message: expect.stringContaining('idPrefix') }],
      });
    }
    expect(node.orchestrator.filters).toHaveLength(1);
  });

  it('says where the partitions of a job are, who has them, and with what it ended', async () => {
    const node = scriptedNode();
    const end = { finishedAt: CREATED_AT, exitReason: 'completed', exitCode: 0, why: told('') } as const;
    const done = { state: 'Completed', contractId: 'c', resultCid: 'r', resultBytes: 1, end } as const;
    const lost = { state: 'Failed', contractId: 'c', end: { ...end, exitReason: 'lost' } } as const;
    const sweep = [
      execution(done, { id: 'a', partition: 0 }),
      execution(lost, { id: 'b', partition: 1, provider: 'peer-lost' }),
      execution({ state: 'Running', contractId: 'c' }, { id: 'c', partition: 1, attempt: 2 }),
      execution({ state: 'AskForBid', askedAt: 1 }, { id: 'd', partition: 2, provider: 'peer-asked' }),
      execution(lost, { id: 'e', partition: 3, createdAt: CREATED_AT + 1, provider: 'peer-b' }),
    ];
    node.orchestrator.page = { items: [jobSnapshot({ count: 6 }, sweep)] };
    expect(await read('/orchestrator/jobs', node)).toMatchObject({
      items: [
        {
          count: 6,
          providers: ['peer-b', 'peer-a', 'peer-lost'],
          partitions: { waiting: 3, negotiating: 1, running: 1, completed: 1, failed: 0 },
        },
      ],
    });
    node.orchestrator.page = { items: [jobSnapshot({ count: 6, state: 'Stopped' }, sweep)] };
    expect(await read('/orchestrator/jobs', node)).toMatchObject({
      items: [{ partitions: { waiting: 0, negotiating: 0, running: 0, completed: 1, failed: 5 } }],
    });
    node.orchestrator.page = { items: [jobSnapshot({ state: 'Completed' }, sweep.slice(0, 1))] };
    expect(await read('/orchestrator/jobs', node)).toMatchObject({ items: [{ exitCode: 0 }] });
  });

  it.each([
    'state=running',
    'limit=0',
    'limit=501',
    'limit=x',
    'limit=1e2',
    'limit=5&limit=6',
    'label=team',
    'stat=Running',
    'idPrefix=abc',
    'idPrefix=a%2Fbcd',
    `idPrefix=${'a'.repeat(65)}`,
  ])('refuses %s and names it', async (query) => {
    const response = await inProcess(scriptedNode()).request(`/orchestrator/jobs?${query}`);
    expect(await response.json()).toMatchObject({
      status: 400,
      code: 'INVALID_QUERY',
      errors: [{ path: query.split('=')[0] }],
    });
  });
});

describe('GET /orchestrator/jobs/{id}/events', () => {
  it('gives pages that follow on each other', async () => {
    const node = scriptedNode();
    node.orchestrator.commit(
      { ...event(1, 'job.posted'), data: { bytes: new Uint8Array([1]), big: 2n } },
      event(2),
      { ...event(3, 'execution.failed'), executionId: 'e', provider: 'p', code: 'trap', why: told('m') },
    );
    expect(await read('/orchestrator/jobs/job-1/events?limit=2', node)).toEqual({
      items: [
        { seq: 1, at: '2030-01-01T00:00:00.001Z', type: 'job.posted', data: { bytes: 'AQ==', big: '2' } },
        { seq: 2, at: '2030-01-01T00:00:00.002Z', type: 'bid.received' },
      ],
      nextCursor: '2',
    });
    expect(await read('/orchestrator/jobs/job-1/events?cursor=2', node)).toEqual({
      items: [
        {
          seq: 3,
          at: '2030-01-01T00:00:00.003Z',
          type: 'execution.failed',
          executionId: 'e',
          provider: 'p',
          code: 'trap',
          message: 'm',
          why: told('m'),
        },
      ],
    });
  });
});

describe('GET /orchestrator/jobs/{id}/bids', () => {
  const bidsOf = async (
    executions: Parameters<typeof jobSnapshot>[1],
    searches = [search(1, [['peer-a', 'bid-a', 900]])],
  ): Promise<{ provider: string; state: string; score: number }[]> => {
    const node = scriptedNode();
    node.orchestrator.snapshots.set('job-1', jobSnapshot({}, executions));
    node.orchestrator.searchList = searches;
    const body = JSON.parse(JSON.stringify(await read('/orchestrator/jobs/job-1/bids', node)));
    return body.items;
  };

  it('shows score, ranks, price and lock', async () => {
    expect(await bidsOf([], [search(1, [['peer-a', 'bid-a', 900]], true)])).toEqual([
      {
        provider: 'peer-a',
        score: 900,
        ranks: [{ name: 'price', value: 1000, weight: 2, reason: 'the cheapest', why: told('the cheapest') }],
        price: { amount: '0.02', currency: 'USD', per: 'hour' },
        locked: true,
        state: 'candidate',
      },
    ]);
  });

  it('is locked once its provider has locked it, and stays so', async () => {
    const ended = { finishedAt: 1, exitReason: 'lost', why: told('') } as const;
    const lock = { lockId: 'l', version: 1, ttlMs: 1 };
    for (const [observed, locked] of [
      [{ state: 'AskForBid', askedAt: 1 }, false],
      [{ state: 'AskForBidAccepted', lock }, true],
      [{ state: 'Running', contractId: 'c' }, true],
      [{ state: 'Failed', contractId: 'c', end: ended }, true],
      [{ state: 'Failed', end: ended }, false],
    ] as const) {
      expect(await bidsOf([execution(observed)]), `${observed.state}`).toMatchObject([{ locked }]);
    }
  });

  const endBy = (error: string) =>
    ({
      finishedAt: 1,
      exitReason: 'denied',
      why: { code: 'no-contract', data: { why: { code: 'no-answer', data: { error, text: '…' } } } },
    }) as const;
  const end = endBy('BUSY');
  it.each([
    [{ state: 'New' } as const, 'selected'],
    [{ state: 'Running', contractId: 'c' } as const, 'selected'],
    [{ state: 'AskForBidRejected', end } as const, 'declined'],
    [{ state: 'AskForBidRejected', end: endBy('NEGOTIATION_TIMEOUT') } as const, 'timed-out'],
    [{ state: 'AskForBidRejected', end: endBy('NEGOTIATION_LOST') } as const, 'failed'],
    [{ state: 'BidRejected', end } as const, 'candidate'],
    [{ state: 'Failed', end } as const, 'failed'],
    [{ state: 'Cancelled', end } as const, 'candidate'],
    [{ state: 'Cancelled', contractId: 'c', end } as const, 'selected'],
  ])('an execution %j makes its bid %s', async (observed, state) => {
    expect((await bidsOf([execution(observed)]))[0]?.state).toBe(state);
    expect((await bidsOf([execution(observed, { bidId: 'another' })]))[0]?.state).toBe('candidate');
  });

  it('counts the best outcome of a bid that was used for several partitions', async () => {
    const executions = [
      execution({ state: 'Failed', end }),
      execution({ state: 'Running', contractId: 'c' }, { id: 'x', partition: 1 }),
    ];
    expect((await bidsOf(executions))[0]?.state).toBe('selected');
  });

  it('has one line per provider: its newest bid', async () => {
    const searches = [
      search(1, [
        ['peer-a', 'bid-a', 900],
        ['peer-b', 'bid-b', 800],
      ]),
      search(2, [['peer-b', 'bid-b2', 700]]),
    ];
    expect((await bidsOf([], searches)).map(({ provider, score }) => [provider, score])).toEqual([
      ['peer-b', 700],
      ['peer-a', 900],
    ]);
  });
});

describe('GET /orchestrator/jobs/{id}/explain', () => {
  it('says why a job is where it is', async () => {
    const node = scriptedNode();
    node.orchestrator.explanation = placedExplanation();
    const placed = await read('/orchestrator/jobs/job-1/explain', node);
    expect(placed).toEqual(viewExplanation(placedExplanation()));
    expect(placed).toMatchObject({
      winner: {
        reason: 'It was the only bid that could be used.',
        why: { code: 'only-bid', data: {} },
      },
    });
    node.orchestrator.explanation = explanation();
    expect(await read('/orchestrator/jobs/job-1/explain', node)).toMatchObject({
      suggestions: ['gpu.vram: 24 GiB asked, best seen 16 GiB on 3 providers.'],
      hints: [{ code: 'ask-less', data: { field: 'gpu.vram', available: '16 GiB' } }],
    });
  });

  it('says how a contract ended that does not stand any more', async () => {
    const node = scriptedNode();
    const { winner, ...rest } = placedExplanation();
    const ended = {
      exitReason: 'lost',
      why: { code: 'provider-silent', data: { silentMs: 61_000 } },
    } as const;
    node.orchestrator.explanation = {
      ...rest,
      placed: false,
      ...(winner === undefined ? {} : { winner: { ...winner, ended } }),
    };
    expect(await read('/orchestrator/jobs/job-1/explain', node)).toMatchObject({
      winner: {
        reason:
          'It was the only bid that could be used. Its contract is over (lost): The provider was silent for 61 s.',
        ended,
      },
    });
  });

  it('leaves out what there is not', async () => {
    const node = scriptedNode();
    const bare = { placed: false, candidates: [], seenAtLeast: 0, declines: [], suggestions: [] };
    node.orchestrator.explanation = bare;
    expect(await read('/orchestrator/jobs/job-1/explain', node)).toEqual({ ...bare, hints: [] });
  });
});

describe('GET /orchestrator/jobs/{id}/contracts', () => {
  it('shows terms as signed, and both signatures with their signers', async () => {
    const node = scriptedNode();
    node.orchestrator.contractList = [contract()];
    expect(await read('/orchestrator/jobs/job-1/contracts', node)).toEqual({
      items: [
        {
          id: 'contract-1',
          state: 'ACCEPTED',
          terms: expect.objectContaining({ proposedAt: CREATED_AT, requesterRecord: '/wA=' }),
          signatures: [
            { signer: 'peer-self', signature: 'AgM=' },
            { signer: 'peer-a', signature: 'BAU=' },
          ],
        },
      ],
    });
  });
});

describe('POST /orchestrator/jobs/{id}/cancel', () => {
  it('asks for the end', async () => {
    const node = scriptedNode();
    const response = await inProcess(node).request('/orchestrator/jobs/job-1/cancel', { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(node.orchestrator.cancelled).toEqual(['job-1']);
  });

  it.each([
    ['JOB_FINISHED', 409],
    ['JOB_NOT_FOUND', 404],
  ])('answers %s with %i', async (code, status) => {
    const node = scriptedNode();
    node.orchestrator.refusal = new CodedError(code, 'A sentence.');
    const response = await inProcess(node).request('/orchestrator/jobs/job-1/cancel', { method: 'POST' });
    expect(await response.json()).toMatchObject({ status, code });
  });
});
