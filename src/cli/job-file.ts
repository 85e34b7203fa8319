import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { CodedError } from '../lib/coded-error.ts';
import { type ApiClient } from './api-client.ts';
import { readBytes, readText } from './local-files.ts';
import { blobShape } from './responses.ts';

export type JobDocument = Readonly<Record<string, unknown>>;

function isDocument(value: unknown): value is JobDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A job description from a YAML or JSON file. Its keys are the node's to check. Throws `JOB_FILE_INVALID`. */
export async function readJobFile(path: string): Promise<JobDocument> {
  const lineCounter = new LineCounter();
  const document = parseDocument(await readText(path), {
    schema: 'core',
    stringKeys: true,
    prettyErrors: false,
    lineCounter,
  });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const { line } = lineCounter.linePos(fault.pos[0]);
    throw new CodedError('JOB_FILE_INVALID', `${path}, line ${line}: ${fault.message}.`);
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (isDocument(value)) {
    const fault = noNumberIn(value);
    if (fault === undefined) return value;
    throw new CodedError('JOB_FILE_INVALID', `${path}: ${fault} is no number that a job can have.`);
  }
  throw new CodedError('JOB_FILE_INVALID', `${path} holds no job description.`);
}

/** The first number that JSON has no way to write, as `prefer.price: NaN`; it would be sent as null. */
function noNumberIn(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path}: ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const fault = noNumberIn(inner, path === '' ? key : `${path}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * The same job with every local file that it names by a path uploaded and replaced by `{ cid }`. Paths are relative
 * to `folder`.
 */
export async function uploadFiles(job: JobDocument, folder: string, client: ApiClient): Promise<JobDocument> {
  const uploaded = new Map<string, Promise<{ readonly cid: string }>>();
  const upload = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const path = resolve(folder, value);
    const known = uploaded.get(path) ?? uploadFile(path, client);
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
  const { module: wasmModule, script } = params;
  return {
    ...engine,
    params: {
      ...params,
      ...(wasmModule === undefined ? {} : { module: await upload(wasmModule) }),
      ...(script === undefined ? {} : { script: await upload(script) }),
    },
  };
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

async function uploadFile(path: string, client: ApiClient): Promise<{ readonly cid: string }> {
  const { cid } = await client.json(blobShape, '/dms/blobs', {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: await readBytes(path),
  });
  return { cid };
}

export function folderOf(path: string): string {
  return dirname(path);
}
