import { type ContentSource, isContentSource } from '../../domain/job/content-source.ts';
import type { JobDescription } from '../../domain/job/job-description.ts';
import { jobLimits } from '../../domain/job/job-limits.ts';
import { DEFAULT_NAMESPACE, type Job, type JobSpec } from '../../domain/job/job.ts';
import {
  type ContentRef,
  contentRefsOf,
  type EngineSpec,
  type StandardInput,
} from '../../domain/program/task.ts';
import { engineNamed } from '../../engines/registry.ts';
import { contentIdOf, encodeCanonical } from '../../lib/canonical.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { ContentDraft } from '../ports.ts';

/** How long a job that does not say so waits for room. */
const DEFAULT_QUEUE_MS = 600_000;

const encoder = new TextEncoder();

/** A checked description with its metadata, ready to be saved with its inline content. */
export async function processJob(
  description: JobDescription,
  metadata: { readonly id: string; readonly submitter: string; readonly now: number },
  options: Pick<OrchestratorOptions, 'defaultOrchestrationType' | 'defaultSearchTimeoutMs'>,
  content: Pick<ContentDraft, 'put' | 'sizeOf'>,
): Promise<Job> {
  const spec = await specOf(description, options, content);
  return {
    id: metadata.id,
    version: 1,
    namespace: DEFAULT_NAMESPACE,
    digest: contentIdOf(encodeCanonical(spec)),
    submitter: metadata.submitter,
    spec,
    createdAt: metadata.now,
    state: 'Pending',
  };
}

/** Every content id a job needs on its provider. */
export function contentOf(spec: JobSpec): readonly ContentRef[] {
  return contentRefsOf(spec.engine, spec.inputs);
}

async function specOf(
  description: JobDescription,
  options: Pick<OrchestratorOptions, 'defaultOrchestrationType' | 'defaultSearchTimeoutMs'>,
  content: Pick<ContentDraft, 'put' | 'sizeOf'>,
): Promise<JobSpec> {
  const { name, type, count, priority, labels, constraints, prefer, budget, retry, timeouts, outputs } =
    description;
  const inputs = [];
  for (const input of description.inputs) {
    inputs.push({ target: input.target, content: await takeIn(input.source, content) });
  }
  return {
    name,
    type,
    count,
    priority,
    labels,
    engine: await engineOf(description.engine, content),
    resources: resourcesOf(description),
    constraints,
    prefer,
    ...(budget === undefined
      ? {}
      : { budget: { amount: budget.maxPrice, currency: budget.currency, per: budget.per } }),
    timeouts: {
      searchMs: timeouts.search ?? options.defaultSearchTimeoutMs,
      ...(timeouts.queue === undefined
        ? { queueMs: DEFAULT_QUEUE_MS, queueFor: 'room' }
        : { queueMs: timeouts.queue }),
      lockMs: timeouts.lock,
      contractMs: timeouts.contract,
      startMs: timeouts.start,
      executionMs: timeouts.execution,
      totalMs: timeouts.total,
    },
    retry: { attempts: retry.attempts, backoffMs: retry.backoff, on: retry.on },
    orchestrationType: description.orchestrationType ?? options.defaultOrchestrationType,
    preferredProviders: description.preferredProviders,
    excludedProviders: description.excludedProviders,
    inputs,
    outputs,
  };
}

async function engineOf(
  engine: JobDescription['engine'],
  content: Pick<ContentDraft, 'put' | 'sizeOf'>,
): Promise<EngineSpec> {
  const { args, env, stdin, ...own } = engine.params;
  const contents = engineNamed(engine.type)?.content ?? {};
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(own)) {
    taken[name] =
      Object.hasOwn(contents, name) && isContentSource(value) ? await takeIn(value, content) : value;
  }
  return { type: engine.type, ...taken, args, env, stdin: await stdinOf(stdin, content) };
}

/** Text goes with the job while it is short; everything else is content, which a provider fetches. */
async function stdinOf(
  stdin: JobDescription['engine']['params']['stdin'],
  content: Pick<ContentDraft, 'put' | 'sizeOf'>,
): Promise<StandardInput> {
  const source = typeof stdin === 'string' ? { text: stdin } : stdin;
  if ('text' in source && source.text.length <= jobLimits.stdinLength) return source.text;
  return takeIn(source, content);
}

function resourcesOf({ resources }: JobDescription): JobSpec['resources'] {
  return {
    cpuMillis: resources.cpu,
    memoryBytes: resources.memory,
    diskBytes: resources.disk,
    gpus: resources.gpus.map(({ count, vendor, model, vram, driver, computeCapability }) => ({
      count,
      ...(vendor === undefined ? {} : { vendor }),
      ...(model === undefined ? {} : { model }),
      ...(vram === undefined ? {} : { vramBytes: vram }),
      ...(driver === undefined ? {} : { driver }),
      ...(computeCapability === undefined ? {} : { computeCapability }),
    })),
  };
}

async function takeIn(
  source: ContentSource,
  content: Pick<ContentDraft, 'put' | 'sizeOf'>,
): Promise<ContentRef> {
  if ('text' in source) return content.put(encoder.encode(source.text));
  if ('base64' in source) return content.put(new Uint8Array(Buffer.from(source.base64, 'base64')));
  const size = await content.sizeOf(source.cid);
  if (size === undefined) {
    throw new CodedError(
      'INPUT_UNAVAILABLE',
      `This node does not have the content ${source.cid}. Upload it first with POST /dms/blobs.`,
      { data: { cid: source.cid } },
    );
  }
  return { cid: source.cid, size };
}
