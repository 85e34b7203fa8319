import { describe, expect, it } from 'vitest';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { contentIdOf, encodeCanonical, rawContentIdOf } from '../../../../src/lib/canonical.ts';
import { contentOf, processJob } from '../../../../src/orchestrator/intake/process-job.ts';
import { MODULE_CID, NOW } from '../../fakes/market.ts';

const OPTIONS = { defaultOrchestrationType: 'pull', defaultSearchTimeoutMs: 5000 } as const;
const LONGER = 'x'.repeat(65_537);
const METADATA = { id: 'job-1', submitter: 'me', now: NOW };

class Content {
  readonly here = new Map([[MODULE_CID, 100]]);

  async put(bytes: Uint8Array): Promise<{ cid: string; size: number }> {
    const cid = rawContentIdOf(bytes);
    this.here.set(cid, bytes.length);
    return { cid, size: bytes.length };
  }

  async sizeOf(cid: string): Promise<number | undefined> {
    return this.here.get(cid);
  }
}

const wasm = (changes: Readonly<Record<string, unknown>> = {}) =>
  jobDescription.parse({ engine: { type: 'wasm', params: { module: { cid: MODULE_CID } } }, ...changes });

function process(description: ReturnType<typeof wasm>, content = new Content()) {
  return processJob(description, METADATA, OPTIONS, content);
}

describe('processJob', () => {
  it('adds the metadata: id, version, submitter, digest, time, state', async () => {
    const job = await process(wasm());
    expect(job).toMatchObject({ id: 'job-1', version: 1, submitter: 'me', createdAt: NOW, state: 'Pending' });
    expect(job.digest).toBe(contentIdOf(encodeCanonical(job.spec)));
    expect(job.digest).toBe((await process(wasm())).digest);
    expect(job.digest).not.toBe((await process(wasm({ name: 'other' }))).digest);
  });

  it('fills in what the node decides, unless the job does', async () => {
    expect((await process(wasm())).spec).toMatchObject({
      orchestrationType: 'pull',
      timeouts: { searchMs: 5000 },
    });
    const own = await process(wasm({ orchestrationType: 'push', timeouts: { search: '2s' } }));
    expect(own.spec).toMatchObject({ orchestrationType: 'push', timeouts: { searchMs: 2000 } });
  });

  it('names everything in milliseconds, bytes and thousandths of a core', async () => {
    const { spec } = await process(
      wasm({
        resources: {
          cpu: '2',
          memory: '1GiB',
          disk: '1MiB',
          gpus: [{ count: 2, vram: '40GiB', model: 'A100' }],
        },
        timeouts: { queue: '1m', lock: '1s', contract: '2s', start: '3s', execution: '4s', total: '5s' },
        retry: { attempts: 7, backoff: '250ms' },
        budget: { maxPrice: '0.10' },
      }),
    );
    expect(spec.resources).toEqual({
      cpuMillis: 2000,
      memoryBytes: 2 ** 30,
      diskBytes: 2 ** 20,
      gpus: [{ count: 2, vramBytes: 40 * 2 ** 30, model: 'A100' }],
    });
    expect(spec.timeouts).toEqual({
      searchMs: 5000,
      queueMs: 60_000,
      lockMs: 1000,
      contractMs: 2000,
      startMs: 3000,
      executionMs: 4000,
      totalMs: 5000,
    });
    expect(spec.retry).toMatchObject({ attempts: 7, backoffMs: 250 });
    expect(spec.budget).toEqual({ amount: '0.10', currency: 'USD', per: 'hour' });
    expect((await process(wasm())).spec).not.toHaveProperty('budget');
  });

  it('stores inline content and names it by content id', async () => {
    const content = new Content();
    const { spec } = await process(
      wasm({
        engine: { type: 'python', params: { script: { text: 'print(1)' } } },
        inputs: [
          { target: '/in/a', source: { text: 'hello' } },
          { target: '/in/b', source: { base64: 'AQID' } },
          { target: '/in/c', source: { cid: MODULE_CID } },
        ],
      }),
      content,
    );
    const text = (value: string): string => rawContentIdOf(new TextEncoder().encode(value));
    expect(contentOf(spec)).toEqual([
      { cid: text('print(1)'), size: 8 },
      { cid: text('hello'), size: 5 },
      { cid: rawContentIdOf(Uint8Array.of(1, 2, 3)), size: 3 },
      { cid: MODULE_CID, size: 100 },
    ]);
    expect(content.here.size).toBe(4);
    expect(JSON.stringify(spec)).not.toContain('print(1)');
  });

  it.each([
    ['short text as it is', 'line', 'line'],
    ['as much as a proposal carries', 'ü'.repeat(65_536), 'ü'.repeat(65_536)],
    ['short text that is given as content', { text: 'line' }, 'line'],
    [
      'longer text as content',
      LONGER,
      { cid: rawContentIdOf(new TextEncoder().encode(LONGER)), size: 65_537 },
    ],
    ['bytes as content', { base64: '//4A' }, { cid: rawContentIdOf(Uint8Array.of(255, 254, 0)), size: 3 }],
    ['content that is here', { cid: MODULE_CID }, { cid: MODULE_CID, size: 100 }],
  ])('takes standard input: %s', async (_, stdin, expected) => {
    const params = { script: { text: 'print(1)' }, stdin };
    const { spec } = await process(wasm({ engine: { type: 'python', params } }));
    expect(spec.engine.stdin).toEqual(expected);
    expect(contentOf(spec).slice(1)).toEqual(typeof expected === 'string' ? [] : [expected]);
  });

  it('refuses content that this node does not have, and names it', async () => {
    const content = new Content();
    content.here.clear();
    await expect(process(wasm(), content)).rejects.toMatchObject({
      code: 'INPUT_UNAVAILABLE',
      data: { cid: MODULE_CID },
    });
  });
});
