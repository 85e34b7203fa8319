import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { jobSnapshot } from '../../api/samples.ts';
import {
  attemptPart,
  inProcess,
  logEnd,
  printed,
  type ScriptedNode,
  scriptedNode,
} from '../../api/scripted-node.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LOGS = '/orchestrator/jobs/job-1/logs';
const RESULTS = '/orchestrator/jobs/job-1/results';

describe('GET /orchestrator/jobs/{id}/logs', () => {
  it('passes the wishes on and streams text', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield printed('one ');
      yield printed('two', 4);
    };
    const response = await inProcess(node).request(`${LOGS}?follow=true&stream=stderr&from=5&execution=e`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('one two');
    expect(node.orchestrator.logRequests).toEqual([
      { follow: true, stream: 'stderr', from: 5, partition: 0, executionId: 'e' },
    ]);
  });

  it('reads standard output from the start when nothing is said', async () => {
    const node = scriptedNode();
    expect(await (await inProcess(node).request(LOGS)).text()).toBe('');
    expect(node.orchestrator.logRequests).toEqual([
      { follow: false, stream: 'stdout', from: 0, partition: 0 },
    ]);
  });

  it.each([
    'stream=both',
    'from=-1',
    'from=1e3',
    'from=0x10',
    'from=1.5',
    'from=',
    'from=1&from=2',
    'from=1&from=1',
    'follow=perhaps',
    'tail=1',
    'partition=1',
    'partition=-1',
  ])('refuses %s', async (query) => {
    const response = await inProcess(scriptedNode()).request(`${LOGS}?${query}`);
    expect(await response.json()).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
  });

  it('gives an early refusal its own status, also when following', async () => {
    const node = scriptedNode();
    const refusal = new CodedError('LOGS_UNAVAILABLE', 'Nothing has run yet.');
    node.orchestrator.log = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal) }),
    });
    const api = inProcess(node);
    const response = await api.request(`${LOGS}?follow=true`);
    expect(await response.json()).toMatchObject({ status: 404, code: 'LOGS_UNAVAILABLE' });
    expect(api.streams.size).toBe(0);
  });

  it('answers although nothing was printed yet', async () => {
    const node = scriptedNode();
    let print: (text: string) => void = () => {};
    const later = new Promise<string>((resolve) => {
      print = resolve;
    });
    node.orchestrator.log = async function* () {
      yield printed(await later);
    };
    const response = await inProcess(node, { earlyRefusalMs: 1 }).request(`${LOGS}?follow=true`);
    expect(response.status).toBe(200);
    print('late');
    expect(await response.text()).toBe('late');
  });

  it('breaks off where the source fails, so that nobody takes a part for the whole', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield printed('one');
      throw new Error('lost');
    };
    const response = await inProcess(node).request(LOGS);
    await expect(response.text()).rejects.toThrow('lost');
  });

  it('tells the source when the reader has left', async () => {
    const node = scriptedNode();
    let left: AbortSignal | undefined;
    node.orchestrator.log = async function* (signal) {
      left = signal;
      for (;;) yield printed('on and on');
    };
    const api = inProcess(node);
    const reader = (await api.request(`${LOGS}?follow=true`)).body?.getReader();
    await reader?.read();
    expect(api.streams.size).toBe(1);
    await reader?.cancel();
    expect(left?.aborted).toBe(true);
    expect(api.streams.size).toBe(0);
  });
});

describe('GET /orchestrator/jobs/{id}/logs as server-sent events', () => {
  const STREAM = { headers: { accept: 'text/event-stream' } };

  it('names the attempts, what is missing, and the end, each with the place behind it', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield attemptPart(1, 5);
      yield printed('ü', 5);
      yield { kind: 'missing', executionId: 'job-1.v1.p0r0.a1', offset: 7 };
      yield attemptPart(2);
      yield logEnd;
    };
    const response = await inProcess(node).request(`${LOGS}?follow=true&stream=stderr`, STREAM);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const blocks = (await response.text()).trimEnd().split('\n\n');
    expect(blocks[0]).toBe('retry: 1000');
    expect(blocks[1]).toBe(
      'id: job-1.v1.p0r0.a1:5\nevent: attempt\ndata: {"stream":"stderr","executionId":"job-1.v1.p0r0.a1","partition":0,"attempt":1,"provider":"peer-a","offset":5}',
    );
    expect(blocks[2]).toBe(
      'id: job-1.v1.p0r0.a1:7\nevent: output\ndata: {"stream":"stderr","executionId":"job-1.v1.p0r0.a1","offset":5,"bytes":"w7w="}',
    );
    expect(blocks[3]).toMatch(/^id: job-1\.v1\.p0r0\.a1:7\nevent: missing\n/);
    expect(blocks[5]).toMatch(/^event: end\ndata: .*"jobState":"Completed"/);
    expect(node.orchestrator.logRequests[0]).toMatchObject({ onwards: true });
  });

  it('is taken up behind the last event', async () => {
    const node = scriptedNode();
    const headers = { ...STREAM.headers, 'last-event-id': 'job-1.v1.p0r0.a2:77' };
    await inProcess(node).request(`${LOGS}?follow=true&from=3`, { headers });
    expect(node.orchestrator.logRequests[0]).toMatchObject({
      executionId: 'job-1.v1.p0r0.a2',
      from: 77,
      onwards: true,
    });
  });

  it.each(['77', 'a:', ':7', 'a:-1', 'a b:7', `${'x'.repeat(257)}:1`])('refuses the place %j', async (id) => {
    const headers = { ...STREAM.headers, 'last-event-id': id };
    const response = await inProcess(scriptedNode()).request(LOGS, { headers });
    expect(await response.json()).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
  });

  it('shows that it is alive while nothing is printed', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* (signal) {
      yield attemptPart(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const response = await inProcess(node, { sseHeartbeatMs: 1 }).request(`${LOGS}?follow=true`, STREAM);
    const reader = response.body?.getReader();
    let text = '';
    while (!text.includes(': still here\n\n: still here\n\n')) {
      text += new TextDecoder().decode((await reader?.read())?.value);
    }
    expect(text).toContain('event: attempt');
    await reader?.cancel();
  });

  it('tells a refusal in the middle, and breaks off without an end for a fault or a stop', async () => {
    const node = scriptedNode();
    const fail = (error: Error): void => {
      node.orchestrator.log = async function* () {
        yield attemptPart(1);
        throw error;
      };
    };
    fail(new CodedError('LOGS_UNAVAILABLE', 'Try again.'));
    const told = await (await inProcess(node).request(LOGS, STREAM)).text();
    expect(told).toContain('event: error\ndata: {"code":"LOGS_UNAVAILABLE","detail":"Try again."}');
    for (const error of [new Error('a fault'), new CodedError('STOPPING', 'The node is stopping.')]) {
      fail(error);
      const response = await inProcess(node).request(LOGS, STREAM);
      await expect(response.text()).rejects.toThrow(error.message);
    }
  });

  it('cuts much output into events of a bounded size, without losing a byte', async () => {
    const node = scriptedNode();
    const much = 'x'.repeat(200_000);
    node.orchestrator.log = async function* () {
      yield printed(much);
    };
    const text = await (await inProcess(node).request(LOGS, STREAM)).text();
    const pieces = [...text.matchAll(/"offset":(\d+),"bytes":"([^"]*)"/g)];
    expect(pieces.map(([, offset]) => Number(offset))).toEqual([0, 65_536, 131_072, 196_608]);
    const together = pieces.map(([, , bytes]) => Buffer.from(bytes ?? '', 'base64').toString()).join('');
    expect(together).toBe(much);
  });
});

describe('logs as text', () => {
  const missing = { kind: 'missing', executionId: 'job-1.v1.p0r0.a1', offset: 3 } as const;
  const lost = { ...logEnd, exitReason: 'lost' } as const;

  it.each([
    ['follow=true', [printed('abc'), missing, lost]],
    ['follow=true', [printed('abc'), lost]],
    ['follow=false', [printed('abc'), { ...missing, until: 9 }, lost]],
  ])('break off where more was printed than came here: %s %#', async (query, parts) => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield* parts;
    };
    const response = await inProcess(node).request(`${LOGS}?${query}`);
    await expect(response.text()).rejects.toMatchObject({ code: 'LOGS_UNAVAILABLE' });
  });

  it('are what there is to who does not follow, and a refusal where there is nothing', async () => {
    const node = scriptedNode();
    node.orchestrator.log = async function* () {
      yield* [printed('abc'), missing, lost];
    };
    expect(await (await inProcess(node).request(LOGS)).text()).toBe('abc');
    node.orchestrator.log = async function* () {
      yield* [attemptPart(1), missing, lost];
    };
    const response = await inProcess(node).request(LOGS);
    expect(await response.json()).toMatchObject({ status: 404, code: 'LOGS_UNAVAILABLE' });
  });
});

describe('results', () => {
  const withResults = (count: number): ScriptedNode => {
    const node = scriptedNode();
    node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Completed', count }));
    node.orchestrator.resultList = Array.from({ length: count }, (_, partition) => ({
      executionId: `e${partition}`,
      partition,
      cid: `folder-${partition}`,
    }));
    for (let partition = 0; partition < count; partition += 1) {
      node.content.folders.set(
        `folder-${partition}`,
        new Map([
          ['stdout', bytes(`hello ${partition}`)],
          ['outputs/out/a.html', bytes('<script>')],
        ]),
      );
    }
    return node;
  };

  it('of a failed job are those of the partitions that came to one', async () => {
    const node = withResults(3);
    node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Failed', count: 20 }));
    node.content.gone.add('folder-1');
    const response = await inProcess(node).request(RESULTS);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ items: [{ partition: 0 }, { partition: 2 }] });
    const file = await inProcess(node).request(`${RESULTS}/p2/stdout`);
    expect(await file.text()).toBe('hello 2');
  });

  it('lists the files by partition', async () => {
    const response = await inProcess(withResults(2)).request(RESULTS);
    expect(await response.json()).toMatchObject({
      items: [
        {
          executionId: 'e0',
          partition: 0,
          files: [{ path: 'stdout', size: 7 }, { path: 'outputs/out/a.html' }],
        },
        { executionId: 'e1', partition: 1 },
      ],
    });
  });

  describe('of many files', () => {
    const MANY = 2500;
    const manyFiles = (): ScriptedNode => {
      const node = withResults(3);
      const files = Array.from({ length: MANY }, (_, at) => [`outputs/out/${at}`, bytes('x')] as const);
      node.content.folders.set('folder-1', new Map(files));
      return node;
    };
    type Page = {
      items: { executionId: string; partition: number; files: { path: string }[] }[];
      nextCursor?: string;
    };
    const page = async (node: ScriptedNode, query = ''): Promise<Page> => {
      const response = await inProcess(node).request(`${RESULTS}${query}`);
      expect(response.status).toBe(200);
      return JSON.parse(await response.text());
    };
    const allPages = async (node: ScriptedNode, limit: number): Promise<readonly Page[]> => {
      const pages = [await page(node, `?limit=${limit}`)];
      for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor) {
        pages.push(await page(node, `?limit=${limit}&cursor=${encodeURIComponent(cursor)}`));
      }
      return pages;
    };
    const namesOf = (pages: readonly Page[]): string[] =>
      pages.flatMap(({ items }) =>
        items.flatMap(({ partition, files }) => files.map(({ path }) => `p${partition}/${path}`)),
      );

    it('gives a page of them, and where the next one goes on', async () => {
      const first = await page(manyFiles());
      expect(namesOf([first])).toHaveLength(1000);
      expect(first.nextCursor).toBeDefined();
      expect(first.items.map(({ partition }) => partition)).toEqual([0, 1]);
    });

    it.each([1, 2, 998, 5000])('gives each of them once, %s on a page', async (limit) => {
      const node = limit < 3 ? withResults(3) : manyFiles();
      const pages = await allPages(node, limit);
      const names = namesOf(pages);
      expect(names).toHaveLength(limit < 3 ? 6 : MANY + 4);
      expect(new Set(names).size).toBe(names.length);
      expect(Math.max(...pages.map((one) => namesOf([one]).length))).toBeLessThanOrEqual(limit);
    });

    it('keeps a page small whatever the files are called, and still comes to the end', async () => {
      const node = withResults(1);
      const long = Array.from(
        { length: 40 },
        (_, at) => [`outputs/${at}${'n'.repeat(400_000)}`, bytes('')] as const,
      );
      node.content.folders.set('folder-0', new Map(long));
      const pages = await allPages(node, 1000);
      expect(namesOf(pages)).toHaveLength(40);
      for (const one of pages) expect(JSON.stringify(one).length).toBeLessThan(600_000);
    });

    it('begins anew where another attempt has taken the place of the one that was cut', async () => {
      const node = manyFiles();
      const { nextCursor = '' } = await page(node);
      const [first, , third] = node.orchestrator.resultList;
      if (first === undefined || third === undefined) throw new Error('no results');
      node.orchestrator.resultList = [first, { executionId: 'e9', partition: 1, cid: 'folder-2' }, third];
      const { items } = await page(node, `?cursor=${nextCursor}`);
      expect(items.map(({ executionId, files }) => [executionId, files.length])).toEqual([
        ['e9', 2],
        ['e2', 2],
      ]);
    });

    it.each(['x', '1.2', '-1.0.e0', '.'])('refuses a cursor that is none: %s', async (cursor) => {
      const response = await inProcess(withResults(1)).request(`${RESULTS}?cursor=${cursor}`);
      expect(await response.json()).toMatchObject({ status: 400, code: 'CURSOR_INVALID' });
    });

    it.each(['0', '5001', 'all'])('refuses a page of %s', async (limit) => {
      const response = await inProcess(withResults(1)).request(`${RESULTS}?limit=${limit}`);
      expect(await response.json()).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
    });
  });

  it.each([
    [1, 'stdout', 'hello 0'],
    [1, 'p0/stdout', 'hello 0'],
    [2, 'p1/stdout', 'hello 1'],
    [1, 'outputs/out/a.html', '<script>'],
  ])('of %i partitions, %s is %j', async (count, path, text) => {
    const response = await inProcess(withResults(count)).request(`${RESULTS}/${path}`);
    expect(await response.text()).toBe(text);
    expect(response.headers.get('content-length')).toBe(String(text.length));
  });

  it('never serves an output as something a browser would run', async () => {
    const response = await inProcess(withResults(1)).request(`${RESULTS}/outputs/out/a.html`);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
  });

  it.each(['x\ny', 'a\r\n\u2028b', 'a%b', 'a%0ab', '%2e%2e', 'a?b#c', 'é ü', '..\\z', 'a:b', '\u001b[2J'])(
    'has a path to a file of any name: %j',
    async (name) => {
      const node = withResults(1);
      node.content.folders.set('folder-0', new Map([[`outputs/out/${name}`, bytes('here')]]));
      const path = `${RESULTS}/p0/outputs/out/${encodeURIComponent(name)}`;
      expect(await (await inProcess(node).request(path)).text()).toBe('here');
    },
  );

  it('takes the newest result of a partition', async () => {
    const node = withResults(1);
    node.orchestrator.resultList.push({ executionId: 'e9', partition: 0, cid: 'newer' });
    node.content.folders.set('newer', new Map([['stdout', bytes('newer')]]));
    expect(await (await inProcess(node).request(`${RESULTS}/stdout`)).text()).toBe('newer');
  });

  it('asks for the partition where there are several', async () => {
    const response = await inProcess(withResults(2)).request(`${RESULTS}/stdout`);
    expect(await response.json()).toMatchObject({ status: 400, code: 'PARTITION_REQUIRED' });
  });

  it.each(['nothing', 'p7/stdout'])('answers 404 for %s', async (path) => {
    const response = await inProcess(withResults(1)).request(`${RESULTS}/${path}`);
    expect(await response.json()).toMatchObject({ status: 404, code: 'RESULT_NOT_FOUND' });
  });
});

describe('blobs', () => {
  const upload = (node: ScriptedNode, query = ''): Promise<Response> =>
    inProcess(node).request(`/dms/blobs${query}`, { method: 'POST', body: 'some bytes' });

  it('stores bytes and gives them back', async () => {
    const node = scriptedNode();
    const created = await upload(node);
    expect(created.status).toBe(201);
    const { cid, size } = JSON.parse(await created.text());
    expect(size).toBe(10);
    const response = await inProcess(node).request(`/dms/blobs/${cid}`);
    expect(await response.text()).toBe('some bytes');
    expect(node.content.publicIds.size).toBe(0);
  });

  it('is public only when asked', async () => {
    const node = scriptedNode();
    await upload(node, '?public=true');
    expect(node.content.publicIds.size).toBe(1);
    expect((await upload(node, '?public=maybe')).status).toBe(400);
  });

  it('takes no bytes as an empty blob', async () => {
    const response = await inProcess(scriptedNode()).request('/dms/blobs', { method: 'POST' });
    expect(await response.json()).toMatchObject({ size: 0 });
  });

  it('stops reading when the store refuses', async () => {
    const node = scriptedNode();
    node.content.quotaBytes = 5000;
    node.content.refusal = new CodedError('QUOTA_EXCEEDED', 'The quota is used up.');
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    const response = await inProcess(node).request('/dms/blobs', { method: 'POST', body, duplex: 'half' });
    expect(await response.json()).toMatchObject({ status: 507, code: 'QUOTA_EXCEEDED' });
    // It is given whole blocks.
    expect(sent).toBeLessThan(1100);
  });

  it('tells unknown content from a malformed id', async () => {
    const { request } = inProcess(scriptedNode());
    const unknown = await request('/dms/blobs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
    expect(await unknown.json()).toMatchObject({ status: 404, code: 'CONTENT_NOT_FOUND' });
    expect(await (await request('/dms/blobs/nope')).json()).toMatchObject({
      status: 400,
      code: 'INVALID_QUERY',
    });
  });
});
