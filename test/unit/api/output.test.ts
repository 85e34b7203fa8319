import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { jobSnapshot } from './samples.ts';
import { inProcess, printed, type ScriptedNode, scriptedNode } from './scripted-node.ts';

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
    expect(node.orchestrator.logRequests).toEqual([{ follow: false, stream: 'stdout', from: 0, partition: 0 }]);
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
    expect(sent).toBeLessThan(20);
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
