import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { event } from './samples.ts';
import { inProcess, scriptedNode } from './scripted-node.ts';

const EVENTS = '/orchestrator/jobs/job-1/events';

/** Reads a stream of server-sent events block by block. */
class BlockReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';

  constructor(response: Response) {
    if (response.body === null) throw new Error('no body');
    this.#reader = response.body.getReader();
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        if (!block.startsWith('retry:')) return block;
      } else {
        const step = await this.#reader.read();
        if (step.done) return undefined;
        this.#text += new TextDecoder().decode(step.value);
      }
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

const ask = { accept: 'text/event-stream' };

describe('events as a stream', () => {
  it('gives what was, then what comes, without gaps', async () => {
    const node = scriptedNode();
    node.orchestrator.commit(event(1, 'job.posted'), event(2));
    const response = await inProcess(node).request(EVENTS, { headers: ask });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const blocks = new BlockReader(response);
    expect(await blocks.next()).toBe(
      'id: 1\nevent: job.posted\ndata: {"seq":1,"at":"2030-01-01T00:00:00.001Z","type":"job.posted"}',
    );
    expect(await blocks.next()).toContain('id: 2\n');
    const third = blocks.next();
    node.orchestrator.commit(event(3), event(4));
    expect(await third).toContain('id: 3\n');
    expect(await blocks.next()).toContain('id: 4\n');
    await blocks.cancel();
    expect(node.orchestrator.watchers).toBe(0);
  });

  it.each([
    [{ 'last-event-id': '2' }, ''],
    [{}, '?cursor=2'],
    [{ 'last-event-id': '2' }, '?cursor=1'],
  ])('resumes after the event it is told: %j %s', async (headers, query) => {
    const node = scriptedNode();
    node.orchestrator.commit(event(1), event(2), event(3));
    const blocks = new BlockReader(
      await inProcess(node).request(`${EVENTS}${query}`, { headers: { ...ask, ...headers } }),
    );
    expect(await blocks.next()).toContain('id: 3\n');
    await blocks.cancel();
  });

  it('goes through more events than one read of the store gives', async () => {
    const node = scriptedNode();
    node.orchestrator.commit(...Array.from({ length: 600 }, (_, index) => event(index + 1)));
    const blocks = new BlockReader(await inProcess(node).request(EVENTS, { headers: ask }));
    for (let seq = 1; seq <= 600; seq += 1)
      expect(await blocks.next(), `event ${seq}`).toContain(`id: ${seq}\n`);
    await blocks.cancel();
  });

  it('refuses a Last-Event-ID that is no number', async () => {
    const response = await inProcess(scriptedNode()).request(EVENTS, {
      headers: { ...ask, 'last-event-id': 'x' },
    });
    expect(await response.json()).toMatchObject({ status: 400, errors: [{ path: 'Last-Event-ID' }] });
  });

  it.each([
    [{ ...ask, 'last-event-id': '4' }, ''],
    [{ ...ask, 'last-event-id': '99999999' }, ''],
    [ask, '?cursor=4'],
    [{}, '?cursor=4'],
  ])('refuses an event that has not happened: %j %s', async (headers, query) => {
    const node = scriptedNode();
    node.orchestrator.commit(event(1), event(2), event(3));
    const { request, streams } = inProcess(node);
    const response = await request(`${EVENTS}${query}`, { headers });
    expect(await response.json()).toMatchObject({
      status: 400,
      code: 'CURSOR_INVALID',
      detail: expect.stringContaining('has no event'),
    });
    expect(streams.size).toBe(0);
    const newest = await request(EVENTS, { headers: { ...ask, 'last-event-id': '3' } });
    expect(newest.status).toBe(200);
    await newest.body?.cancel();
  });

  it('shows that it is alive while nothing happens', async () => {
    const node = {
      ...scriptedNode(),
      clock: { ...systemClock, after: (_ms: number, fire: () => void) => systemClock.after(0, fire) },
    };
    const blocks = new BlockReader(await inProcess(node).request(EVENTS, { headers: ask }));
    expect(await blocks.next()).toBe(': still here');
    await blocks.cancel();
  });

  it('ends in good order when the node stops', async () => {
    const node = scriptedNode();
    node.orchestrator.commit(event(1));
    const api = inProcess(node);
    const blocks = new BlockReader(await api.request(EVENTS, { headers: ask }));
    await blocks.next();
    api.streams.endAll();
    expect(await blocks.next()).toBeUndefined();
    expect(api.streams.size).toBe(0);
    expect(node.orchestrator.watchers).toBe(0);
  });

  it('opens no more streams than it may, and takes that for no fault of the node', async () => {
    const node = scriptedNode();
    const errors: string[] = [];
    const logger = { ...node.logger, error: (message: string) => void errors.push(message) };
    const api = inProcess({ ...node, logger }, { maxStreams: 1 });
    const first = await api.request(EVENTS, { headers: ask });
    const second = await api.request(EVENTS, { headers: ask });
    expect(await second.json()).toMatchObject({ status: 503, code: 'TOO_MANY_STREAMS' });
    expect(second.headers.get('retry-after')).toBe('1');
    expect(errors).toEqual([]);
    expect(api.counters()).toEqual({ 'api.busy': 1 });
    await first.body?.cancel();
    const third = await api.request(EVENTS, { headers: ask });
    expect(third.status).toBe(200);
    await third.body?.cancel();
  });
});
