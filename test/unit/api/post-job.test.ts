import { viewExplanation } from '../../../src/api/views/explanation-view.ts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { explanation, job, SOME_CID } from './samples.ts';
import { inProcess, jsonPost, scriptedNode, yamlPost } from './scripted-node.ts';

const POST = '/orchestrator/postJob';

async function refusalOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem: Record<string, unknown> = JSON.parse(await response.text());
  expect(problem).toMatchObject({
    status: response.status,
    type: `urn:bidmesh:error:${String(problem['code'])}`,
  });
  expect(problem['title']).not.toBe('');
  expect(problem['detail']).not.toBe('');
  return problem;
}

async function post(init: RequestInit, refusal?: Error): Promise<Response> {
  const node = scriptedNode();
  node.orchestrator.refusal = refusal;
  return inProcess(node).request(POST, init);
}

describe('POST /orchestrator/postJob', () => {
  it('accepts a job in JSON: 202, no body, and where the job is', async () => {
    const node = scriptedNode();
    const body = JSON.stringify(job());
    const response = await inProcess(node).request(POST, jsonPost(body));
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(response.headers.get('location')).toBe('/orchestrator/jobs/job-1');
    expect(node.orchestrator.posted).toHaveLength(1);
    expect(node.orchestrator.posted[0]?.description).toMatchObject({ name: 'hello', count: 1 });
    expect(node.orchestrator.posted[0]?.options).toEqual({
      bodyDigest: createHash('sha256').update(body).digest('base64url'),
    });
  });

  it('accepts the same job in YAML', async () => {
    const node = scriptedNode();
    const yaml = `name: hello\nengine: { type: wasm, params: { module: { cid: ${SOME_CID} }, args: ["1", x] } }\n`;
    const response = await inProcess(node).request(POST, yamlPost(yaml));
    expect(response.status).toBe(202);
    expect(node.orchestrator.posted[0]?.description.engine.params.args).toEqual(['1', 'x']);
  });

  it('hands the idempotency key on, and answers its conflict with 422', async () => {
    const node = scriptedNode();
    await inProcess(node).request(POST, jsonPost(job(), { 'idempotency-key': 'key-1' }));
    expect(node.orchestrator.posted[0]?.options.idempotencyKey).toBe('key-1');
    const conflict = new CodedError('IDEMPOTENCY_CONFLICT', 'The key was used with another body.');
    const refused = await refusalOf(await post(jsonPost(job(), { 'idempotency-key': 'key-1' }), conflict));
    expect(refused).toMatchObject({ status: 422, code: 'IDEMPOTENCY_CONFLICT' });
  });

  it.each(['', 'a b', 'x'.repeat(256)])('refuses the idempotency key %j', async (key) => {
    const problem = await refusalOf(await post(jsonPost(job(), { 'idempotency-key': key })));
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
  });

  it('names every key that is called __proto__, in JSON and in YAML', async () => {
    const engine = `{"type":"python","params":{"script":{"text":"x"},"env":{"__proto__":"a"}}}`;
    const body = `{"engine":${engine},"prefer":{"__proto__":1,"price":1},"labels":{"__proto__":"b"},"inputs":[{"__proto__":{}}],"__proto__":{}}`;
    for (const request of [jsonPost(body), yamlPost(body)]) {
      const problem = await refusalOf(await post(request));
      expect(problem).toMatchObject({ status: 400, code: 'INVALID_JOB' });
      for (const path of [
        '__proto__',
        'engine.params.env.__proto__',
        'inputs.0.__proto__',
        'labels.__proto__',
        'prefer.__proto__',
      ]) {
        const named = { path, code: 'unknown_key', message: 'unknown key' };
        expect(problem['errors']).toContainEqual(named);
      }
    }
  });

  it.each([
    ['STORE_FAILED', 503],
    ['RECORD_UNREADABLE', 500],
    ['TOO_MANY_JOBS', 429],
    ['QUOTA_EXCEEDED', 507],
    ['INPUT_UNAVAILABLE', 422],
  ])('answers %s of the requester with %i', async (code, status) => {
    const problem = await refusalOf(await post(jsonPost(job()), new CodedError(code, 'A sentence.')));
    expect(problem).toMatchObject({ status, code, detail: 'A sentence.' });
  });

  it('says nothing about a fault of its own', async () => {
    const problem = await refusalOf(await post(jsonPost(job()), new Error('secret detail')));
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('only searches with dryRun=true, and says what it found', async () => {
    const node = scriptedNode();
    const response = await inProcess(node).request(`${POST}?dryRun=true`, jsonPost(job()));
    expect(response.status).toBe(200);
    expect(response.headers.get('location')).toBeNull();
    expect(await response.json()).toEqual(viewExplanation(explanation()));
    expect(node.orchestrator.tried).toMatchObject([{ name: 'hello', count: 1 }]);
    expect(node.orchestrator.posted).toEqual([]);
  });

  it('posts with dryRun=false', async () => {
    const node = scriptedNode();
    expect((await inProcess(node).request(`${POST}?dryRun=false`, jsonPost(job()))).status).toBe(202);
    expect([node.orchestrator.tried.length, node.orchestrator.posted.length]).toEqual([0, 1]);
  });

  it.each(['dryRun=1', 'dryRun=', 'dryRun=TRUE', 'dryRuns=true'])(
    'refuses the query %s: what was meant as a try must not post',
    async (query) => {
      const node = scriptedNode();
      const problem = await refusalOf(await inProcess(node).request(`${POST}?${query}`, jsonPost(job())));
      expect(problem).toMatchObject({
        status: 400,
        code: 'INVALID_QUERY',
        errors: [{ path: query.split('=')[0] }],
      });
      expect([...node.orchestrator.tried, ...node.orchestrator.posted]).toEqual([]);
    },
  );

  it.each([
    ['TOO_MANY_JOBS', 429],
    ['INPUT_UNAVAILABLE', 422],
  ])('answers %s of a dry run with %i', async (code, status) => {
    const node = scriptedNode();
    node.orchestrator.refusal = new CodedError(code, 'A sentence.');
    const response = await inProcess(node).request(`${POST}?dryRun=true`, jsonPost(job()));
    expect(await refusalOf(response)).toMatchObject({ status, code });
  });
});

describe('a job description that is not valid', () => {
  const fieldsOf = async (description: unknown): Promise<unknown> => {
    const problem = await refusalOf(await post(jsonPost(description)));
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_JOB' });
    return problem['errors'];
  };

  it('names unknown keys at every depth, one by one', async () => {
    const description = {
      ...job({ type: 'wasm', params: { module: { cid: SOME_CID, z: 1 }, argz: [] } }),
      cont: 1,
      resources: { cpus: 2, mem: 1 },
      inputs: [{ target: '/a', source: { text: 'x' }, mode: 1 }],
    };
    const errors = await fieldsOf(description);
    expect(errors).toEqual(
      expect.arrayContaining(
        [
          'engine.params.module.z',
          'engine.params.argz',
          'cont',
          'resources.cpus',
          'resources.mem',
          'inputs.0.mode',
        ].map((path) => ({ path, code: 'unknown_key', message: 'unknown key' })),
      ),
    );
    expect(errors).toHaveLength(6);
  });

  it('says in words what a name may be made of', async () => {
    const problem = await refusalOf(
      await post(
        jsonPost({
          ...job(),
          name: '.x',
          engine: { type: 'wasm', params: { module: { cid: SOME_CID }, env: { 'a b': '1' } } },
          labels: { '': 'x' },
          outputs: [{ name: '../x', path: '/out' }],
        }),
      ),
    );
    const { errors } = z
      .object({ errors: z.array(z.object({ path: z.string(), message: z.string() })) })
      .parse(problem);
    expect(Object.fromEntries(errors.map(({ path, message }) => [path, message]))).toEqual({
      name: 'expected letters, digits, spaces, dots, dashes and underscores, and a letter or digit first',
      'engine.params.env.a b': 'expected letters, digits and underscores, and no digit first',
      'labels.': 'expected at least 1 character',
      'outputs.0.name':
        'expected letters, digits, dots, dashes and underscores, a letter or digit first, at most 64 characters',
    });
  });

  it('names a missing field', async () => {
    expect(await fieldsOf({ name: 'x' })).toEqual([
      { path: 'engine', code: 'missing', message: 'is required' },
    ]);
  });

  it('explains the alternative that was meant', async () => {
    expect(await fieldsOf(job({ type: 'wasm', params: { module: { cid: 'nope' } } }))).toEqual([
      expect.objectContaining({ path: 'engine.params.module.cid', message: 'expected a content id (CIDv1)' }),
    ]);
    expect(await fieldsOf(job({ type: 'python', params: { script: { base64: 'AA==' } } }))).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'engine.params.script.base64' })]),
    );
  });

  it('says that a path is for the command line tool', async () => {
    expect(await fieldsOf(job({ type: 'wasm', params: { module: './hello.wasm' } }))).toEqual([
      { path: 'engine.params.module', code: 'custom', message: expect.stringContaining('bidmesh job post') },
    ]);
  });

  it('says which engines there are', async () => {
    expect(await fieldsOf(job({ type: 'cobol' }))).toEqual([
      { path: 'engine.type', code: 'invalid_union', message: expect.stringContaining('python') },
    ]);
  });

  it.each([[null], [[]], ['text'], [1]])('refuses %j', async (description) => {
    expect(await fieldsOf(JSON.stringify(description))).toEqual([expect.objectContaining({ path: '' })]);
  });

  it('bounds the list of errors', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`key${index}`, 1]));
    expect(await fieldsOf({ ...job(), ...unknown })).toHaveLength(64);
  });
});

describe('a body that cannot be read', () => {
  it.each([
    ['JSON', jsonPost('{\n  "name": "x",\n  "engine": }'), 3],
    ['YAML', yamlPost('name: x\nengine: {type: wasm\n'), 3],
    ['a key twice', yamlPost('name: x\nname: y\n'), 2],
    ['a tag', yamlPost('name: !!binary aGVsbG8=\n'), 1],
    ['two documents', yamlPost('name: x\n---\nname: y\n'), 2],
  ])('names the line: %s', async (_what, init, line) => {
    const problem = await refusalOf(await post(init));
    expect(problem).toMatchObject({ status: 400, code: 'MALFORMED_BODY' });
    expect(problem['detail']).toContain(`(line ${line}, column `);
  });

  it('refuses a document that blows itself up', async () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index, all) => {
      const inner = index === 0 ? '"x"' : `*${all[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(',')}]`;
    });
    const problem = await refusalOf(await post(yamlPost(levels.join('\n'))));
    expect(problem).toMatchObject({ status: 400, code: 'MALFORMED_BODY' });
  });

  it.each([
    ['YAML', yamlPost(`x: ${'['.repeat(50_000)}`)],
    ['text that is not UTF-8', { ...jsonPost(''), body: new Uint8Array([0xff, 0xfe]) }],
    ['nothing', jsonPost('')],
  ])('refuses %s', async (_what, init) => {
    expect(await refusalOf(await post(init))).toMatchObject({ status: 400, code: 'MALFORMED_BODY' });
  });

  it('looks at each of very many keys once, and at no more than a bound', async () => {
    const keys = Array.from({ length: 8000 }, (_, index) => `key${index}: 1`);
    const problem = await refusalOf(await post(yamlPost(keys.join('\n'))));
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_JOB' });
    const twice = await refusalOf(await post(yamlPost([...keys, 'key7: 2'].join('\n'))));
    expect(twice['detail']).toContain('(line 8001, column 1): key7: this map has the same key twice.');
    const tooMany = JSON.stringify({ x: Array.from({ length: 10_000 }, () => 1) });
    expect((await refusalOf(await post(jsonPost(tooMany))))['detail']).toContain('more values than');
  });

  it.each([
    ['flow lists', '['.repeat(1_000_000)],
    ['closed flow lists', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    ['lists in one line', '- '.repeat(1_000_000)],
    ['maps as keys', '{'.repeat(1_000_000)],
    ['indented maps', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('reads YAML only so deep: %s', async (_, deep) => {
    const before = process.cpuUsage();
    const problem = await refusalOf(await post(yamlPost(`engine: 1\nlabels:\n  a: 1\nx:\n  ${deep}`)));
    // What it costs, and not how long a busy machine takes to begin.
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(2_000_000);
    expect(problem).toMatchObject({ status: 400, code: 'MALFORMED_BODY' });
    expect(problem['detail']).toMatch(
      /^The body is not YAML \(line \d+, column \d+\): it is nested deeper than 64 levels\./,
    );
  });

  it('survives JSON that is nested very deeply', async () => {
    const deep = `{"engine":1,"dependsOn":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect((await refusalOf(await post(jsonPost(deep))))['status']).toBe(400);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'refuses the content type %j',
    async (type) => {
      const problem = await refusalOf(
        await post({ method: 'POST', body: '{}', headers: { 'content-type': type } }),
      );
      expect(problem).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    },
  );

  it('takes a content type with parameters', async () => {
    expect((await post(jsonPost(job(), { 'content-type': 'Application/JSON; charset=utf-8' }))).status).toBe(
      202,
    );
  });

  it('refuses an encoded body', async () => {
    expect((await post(jsonPost(job(), { 'content-encoding': 'gzip' }))).status).toBe(415);
  });
});

describe('a body that is too large', () => {
  it('is refused by its declared length', async () => {
    const { request } = inProcess(scriptedNode(), { maxBodyBytes: 10 });
    const response = await request(POST, jsonPost(job(), { 'content-length': '11' }));
    expect(await refusalOf(response)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
  });

  it('is refused while it comes, not after', async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    const { request } = inProcess(scriptedNode(), { maxBodyBytes: 10_000 });
    const response = await request(POST, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    });
    expect(await refusalOf(response)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(sent).toBeLessThan(20);
  });
});
