import { describe, expect, it } from 'vitest';
import { BidmeshClient, type ClientOptions, ProblemError } from '../../../src/client/index.ts';
import { exampleEvent, exampleJob } from '../../../src/openapi/examples/job-examples.ts';

type Answering = (request: Request) => Response | Promise<Response>;

function clientOf(answering: Answering, options: Partial<ClientOptions> = {}): BidmeshClient {
  return new BidmeshClient({
    url: 'http://node.test',
    fetch: async (address, init) => answering(new Request(address, init)),
    ...options,
  });
}

function streamOf(...blocks: readonly string[]): Response {
  const headers = { 'content-type': 'text/event-stream' };
  return new Response(blocks.join(''), { headers });
}

/** Does not wait for another try; how long nothing comes is not looked at. */
const hasty: NonNullable<ClientOptions['timers']> = {
  after: (delayMs, fire) => {
    if (delayMs < 60_000) queueMicrotask(fire);
    return { cancel: () => {} };
  },
};

function eventBlock(seq: number): string {
  return `id: ${seq}\nevent: job.posted\ndata: ${JSON.stringify({ ...exampleEvent, seq })}\n\n`;
}

describe('what a call comes to', () => {
  it('is, where the node refuses, an error with the code, the sentence, the fields and when to try again', async () => {
    const problem = {
      type: 'urn:bidmesh:error:TOO_MANY_JOBS',
      title: 'The node holds too many jobs',
      status: 429,
      code: 'TOO_MANY_JOBS',
      detail: 'It holds 10. Cancel one, or wait.',
      errors: [{ path: 'name', code: 'x', message: 'is taken' }],
    };
    const refusing = clientOf(() =>
      Response.json(problem, {
        status: 429,
        headers: { 'retry-after': '2', 'content-type': 'application/problem+json' },
      }),
    );
    const error = await refusing.getJob('a').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({
      code: 'TOO_MANY_JOBS',
      message: 'It holds 10. Cancel one, or wait.',
      status: 429,
      title: 'The node holds too many jobs',
      fields: [{ path: 'name', code: 'x', message: 'is taken' }],
      retryAfterMs: 2000,
    });
  });

  it('is a code where nobody answers, and where somebody else does', async () => {
    const nobody = clientOf(() => Promise.reject(new TypeError('fetch failed')));
    await expect(nobody.getStatus()).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      message: expect.stringMatching(/http:\/\/node\.test .*Look at its address/),
    });
    const other = clientOf(() => new Response('<html>', { status: 404 }));
    await expect(other.getStatus()).rejects.toMatchObject({ code: 'API_UNEXPECTED' });
  });

  it('names what is wrong with an answer', async () => {
    const client = clientOf(() =>
      Response.json({ ...exampleJob, partitions: { ...exampleJob.partitions, running: '1' } }),
    );
    await expect(client.getJob('a')).rejects.toMatchObject({
      code: 'API_UNEXPECTED',
      message: expect.stringMatching(/not as this client knows it: partitions\.running: .*number/),
    });
  });

  it('is in the words of the program around where it has some', async () => {
    const reword = (): Error => new Error('mine');
    const nobody = clientOf(() => Promise.reject(new TypeError('fetch failed')), { reword });
    await expect(nobody.getStatus()).rejects.toThrow('mine');
  });

  it('keeps members and words that a newer node may have', async () => {
    const newer = { ...exampleJob, state: 'Hibernating', mood: 'good' };
    expect(await clientOf(() => Response.json(newer)).getJob('a')).toEqual(newer);
  });

  it('is the reason of an aborted signal', async () => {
    const client = clientOf(({ signal }) => Promise.reject(signal.reason));
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client.getStatus({ signal })).rejects.toThrow('enough');
  });

  it('of a node that is not ready is why', async () => {
    const waiting = { ok: false, reasons: ['No node of the network was met yet.'] };
    const client = clientOf(() => Response.json(waiting, { status: 503 }));
    expect(await client.getReadiness()).toEqual(waiting);
  });

  it('names nothing elsewhere, whatever the id', async () => {
    const client = clientOf(() => Response.json(exampleJob));
    await expect(client.getJob('..')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('carries the token, and asks where the node listens now', async () => {
    const asked: string[] = [];
    let port = 1;
    const answering: Answering = ({ url, headers }) => {
      asked.push(`${url} ${headers.get('authorization')}`);
      return Response.json({ ok: true });
    };
    const client = clientOf(answering, { url: () => `http://node.test:${port}`, token: 't' });
    await client.getLiveness();
    port = 2;
    await client.getLiveness();
    expect(asked).toEqual([
      'http://node.test:1/health/live Bearer t',
      'http://node.test:2/health/live Bearer t',
    ]);
  });
});

describe('the events of a job', () => {
  it('are taken up again behind the last one, each once', async () => {
    const places: (string | null)[] = [];
    const answers = [streamOf(eventBlock(1), eventBlock(2)), streamOf(eventBlock(3))];
    const client = clientOf(({ headers }) => {
      places.push(headers.get('last-event-id'));
      return answers.shift() ?? streamOf();
    });
    const seen: number[] = [];
    for await (const { seq } of client.jobEvents('a')) {
      seen.push(seq);
      if (seq === 3) break;
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(places).toEqual(['0', '2']);
  });

  it('let the connection go when they are read no further', async () => {
    const left = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(eventBlock(1))),
      cancel: () => left.resolve(),
    });
    const headers = { 'content-type': 'text/event-stream' };
    for await (const { seq } of clientOf(() => new Response(body, { headers })).jobEvents('a')) {
      expect(seq).toBe(1);
      break;
    }
    await left.promise;
  });

  it('are given up with the last failure where the node stays away', async () => {
    let tries = 0;
    const client = clientOf(
      () => {
        tries += 1;
        return Promise.reject(new TypeError('fetch failed'));
      },
      { timers: hasty },
    );
    await expect(client.jobEvents('a').next()).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    expect(tries).toBe(9);
  });

  it('end quietly with their signal', async () => {
    const stop = new AbortController();
    const client = clientOf(() => streamOf(eventBlock(1)));
    const seen: number[] = [];
    for await (const { seq } of client.jobEvents('a', { signal: stop.signal })) {
      seen.push(seq);
      stop.abort();
    }
    expect(seen).toEqual([1]);
  });
});

describe('the log of a job', () => {
  const output = (offset: number, text: string): string =>
    `id: e1:${offset + text.length}\nevent: output\ndata: ${JSON.stringify({ executionId: 'e1', offset, bytes: btoa(text) })}\n\n`;
  const attempt = `id: e1:0\nevent: attempt\ndata: ${JSON.stringify({ executionId: 'e1', partition: 0, attempt: 1, provider: 'p', offset: 0 })}\n\n`;
  const end = 'event: end\ndata: {"jobState":"Completed"}\n\n';

  it('goes on behind the last byte that came, and names the attempt once', async () => {
    const places: (string | null)[] = [];
    const answers = [streamOf(attempt, output(0, 'ab')), streamOf(attempt, output(2, 'c'), end)];
    const client = clientOf(({ headers }) => {
      places.push(headers.get('last-event-id'));
      return answers.shift() ?? streamOf();
    });
    const seen = await all(client.jobLogs('a', { follow: true }));
    expect(seen.map(({ type }) => type)).toEqual(['attempt', 'output', 'output', 'end']);
    expect(places).toEqual([null, 'e1:2']);
  });

  it('says where it broke off when it cannot go on', async () => {
    let tries = 0;
    const client = clientOf(
      () => {
        tries += 1;
        return tries === 1
          ? streamOf(attempt, output(0, 'ab'))
          : Promise.reject(new TypeError('fetch failed'));
      },
      { timers: hasty },
    );
    await expect(all(client.jobLogs('a'))).rejects.toMatchObject({
      code: 'LOGS_BROKEN_OFF',
      executionId: 'e1',
      offset: 2,
    });
  });
});

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
