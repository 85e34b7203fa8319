import { resolve } from 'node:path';
import type { BidmeshClient } from '../client/index.ts';
import { engineNamed } from '../engines/registry.ts';
import { isDocument, type JobDocument } from './job-file.ts';
import { readBytes } from './local-files.ts';

/**
 * The same job with every local file that it names by a path uploaded and replaced by `{ cid }`. Paths are relative
 * to `folder`. An abort of `signal` ends it wherever it is, with the signal's reason.
 */
export async function uploadFiles(
  job: JobDocument,
  folder: string,
  client: BidmeshClient,
  signal?: AbortSignal,
): Promise<JobDocument> {
  const uploaded = new Map<string, Promise<Uploaded>>();
  const upload = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const path = resolve(folder, value);
    const known = uploaded.get(path) ?? uploadFile(path, client, signal);
    uploaded.set(path, known);
    return known;
  };
  return {
    ...job,
    ...(isDocument(job['engine']) ? { engine: await withProgram(job['engine'], upload) } : {}),
    ...(Array.isArray(job['inputs']) ? { inputs: await withSources(job['inputs'], upload) } : {}),
  };
}

async function withProgram(engine: JobDocument, upload: (value: unknown) => unknown): Promise<JobDocument> {
  const params = engine['params'];
  if (!isDocument(params)) return engine;
  const named = engineNamed(String(engine['type']));
  const uploaded: Record<string, unknown> = {};
  for (const name of Object.keys(named?.content ?? {})) {
    if (params[name] !== undefined) uploaded[name] = await upload(params[name]);
  }
  return { ...engine, params: { ...params, ...uploaded } };
}

async function withSources(
  inputs: readonly unknown[],
  upload: (value: unknown) => unknown,
): Promise<unknown[]> {
  const replaced: unknown[] = [];
  for (const input of inputs) {
    replaced.push(isDocument(input) ? { ...input, source: await upload(input['source']) } : input);
  }
  return replaced;
}

async function uploadFile(path: string, client: BidmeshClient, signal?: AbortSignal): Promise<Uploaded> {
  return uploadBytes(await readBytes(path), client, signal);
}

interface Uploaded {
  readonly cid: string;
}

/** Puts bytes into the content store of the node. */
export async function uploadBytes(
  body: ReadableStream<Uint8Array>,
  client: BidmeshClient,
  signal?: AbortSignal,
): Promise<Uploaded> {
  signal?.throwIfAborted();
  const { cid } = await client.uploadBlob(body, {}, { signal });
  return { cid };
}
