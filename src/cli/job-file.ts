import { dirname } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { CodedError } from '../lib/coded-error.ts';
import { readText } from './local-files.ts';

export type JobDocument = Readonly<Record<string, unknown>>;

export function isDocument(value: unknown): value is JobDocument {
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

export function folderOf(path: string): string {
  return dirname(path);
}
