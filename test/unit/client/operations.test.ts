import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../src/api/openapi/document.ts';
import { BidmeshClient, bytesOf } from '../../../src/client/index.ts';
import { EXAMPLE_CID } from '../../../src/openapi/examples/job-examples.ts';
import type { Answer, Operation } from '../../../src/openapi/operation.ts';
import { type OperationId, operations } from '../../../src/openapi/operations.ts';

const JOB = { engine: { type: 'python' as const, params: { script: { text: 'print(1)' } } } };

/** Of each operation its one call. */
const CALLS: Readonly<Record<OperationId, (client: BidmeshClient) => Promise<unknown>>> = {
  postJob: (client) => client.postJob(JOB, { dryRun: true }),
  listJobs: (client) => client.listJobs(),
  getJob: (client) => client.getJob('a job'),
  listBids: (client) => client.listBids('a job'),
  explainJob: (client) => client.explainJob('a job'),
  listContracts: (client) => client.listContracts('a job'),
  cancelJob: (client) => client.cancelJob('a job'),
  jobEvents: async (client) => ({
    items: await all(client.jobEvents('a job', { follow: false })),
  }),
  jobLogs: (client) => all(client.jobLogs('a job')),
  listResults: (client) => client.listResults('a job'),
  getResultFile: async (client) => textOf(await client.getResultFile('a job', 'outputs/a b/c')),
  getStatus: (client) => client.getStatus(),
  getResources: (client) => client.getResources(),
  listPeers: (client) => client.listPeers(),
  drain: (client) => client.drain(),
  undrain: (client) => client.undrain(),
  uploadBlob: (client) => client.uploadBlob('bytes'),
  downloadBlob: async (client) => textOf(await client.downloadBlob(EXAMPLE_CID)),
  getLiveness: (client) => client.getLiveness(),
  getReadiness: (client) => client.getReadiness(),
  getMetrics: (client) => client.getMetrics(),
};

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder().decode(await bytesOf(pieces));
}

const LOG_END = 'event: end\ndata: {"jobState":"Completed"}\n\n';

/** What the node answers where all is well. */
function goodAnswer({ answers }: Operation): Response {
  const [status, answer] = Object.entries<Answer>(answers)[0] ?? [];
  const { json, example, media = [] } = answer ?? { description: '' };
  if (json !== undefined) return Response.json(example, { status: Number(status) });
  const type = media.at(-1) ?? '';
  return new Response(type === 'text/event-stream' ? LOG_END : 'bytes', {
    status: Number(status),
    headers: { 'content-type': type },
  });
}

/** What a call asks, of a node that gives `answer`, and what it comes to. */
async function asked(id: OperationId, answer: Response) {
  const requests: string[] = [];
  const client = new BidmeshClient({
    url: 'http://node.test',
    fetch: async ({ pathname }, { method }) => {
      requests.push(`${method} ${decodeURI(pathname)}`);
      return answer;
    },
  });
  const outcome = await CALLS[id](client).catch((error: unknown) => ({ error }));
  return { requests, outcome };
}

const ids = Object.keys(operations).filter((id): id is OperationId => id in operations);
const VALUES: Readonly<Record<string, string>> = { id: 'a job', path: 'outputs/a b/c', cid: EXAMPLE_CID };

describe('the client and the OpenAPI document', () => {
  it('have the same operations, each with one call of its name', async () => {
    const { paths } = await openApiDocument();
    const documented = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((entry) => entry['operationId']),
    );
    const calls = Object.getOwnPropertyNames(BidmeshClient.prototype).filter(
      (name) => name !== 'constructor',
    );
    expect(documented).toHaveLength(calls.length);
    expect(new Set(calls)).toEqual(new Set(documented));
    expect(new Set(ids)).toEqual(new Set(documented));
  });

  it.each(ids)('%s asks what is documented, once, and gives what is answered', async (id) => {
    const { paths } = await openApiDocument();
    const [path, methods] =
      Object.entries(paths).find(([, all]) =>
        Object.values(all).some((entry) => entry['operationId'] === id),
      ) ?? [];
    const method = Object.entries(methods ?? {}).find(([, entry]) => entry['operationId'] === id)?.[0];
    const filled = path?.replaceAll(/\{(\w+)\}/g, (_, name: string) => VALUES[name] ?? '');
    const { requests, outcome } = await asked(id, goodAnswer(operations[id]));
    expect(requests).toEqual([`${method?.toUpperCase()} ${filled}`]);
    const answer = Object.values<Answer>(operations[id].answers)[0];
    const plain =
      id === 'jobLogs' ? [{ type: 'end', jobState: 'Completed' }] : id === 'cancelJob' ? undefined : 'bytes';
    expect(outcome).toEqual(answer?.json === undefined ? plain : answer.example);
  });

  it.each(ids.filter((id) => 'json' in (Object.values<Answer>(operations[id].answers)[0] ?? {})))(
    '%s takes no answer of another shape',
    async (id) => {
      const { outcome } = await asked(id, Response.json({ surprise: true }));
      expect(outcome).toMatchObject({ error: { code: 'API_UNEXPECTED' } });
    },
  );
});

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
