import { dirname, extname } from 'node:path';
import { z } from 'zod';
import { programEngines } from '../engines/registry.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { ReadDocument } from '../lib/documents/document.ts';
import { DocumentFault } from '../lib/documents/document-fault.ts';
import { readDocument } from '../lib/documents/read-document.ts';
import { readWhole } from './local-files.ts';

const fieldsShape = z.array(z.object({ path: z.string(), message: z.string() }));

export type JobDocument = Readonly<Record<string, unknown>>;

export function isDocument(value: unknown): value is JobDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A job description as it stands in a file. */
export interface JobFile {
  readonly path: string;
  readonly job: JobDocument;
  /** The line of a field such as `resources.cpu`, or of the nearest one around it. */
  readonly lineOf: (field: string) => number | undefined;
}

/**
 * A job description from a file in JSON, where its name says so, or else in YAML. Its keys are the node's to check.
 * Throws `JOB_FILE_INVALID` with line and column, or `FILE_UNREADABLE`.
 */
export async function readJobFile(path: string): Promise<JobFile> {
  return parseJobFile(await readWhole(path), path);
}

const ENGINE_FLAGS = programEngines
  .map(({ type }) => `--engine ${type}`)
  .toSorted()
  .join(' or ');

/** The same of bytes that come from `path`, whatever that is. */
export function parseJobFile(bytes: Uint8Array, path: string): JobFile {
  const document = documentIn(bytes, path);
  const { value } = document;
  if (!isDocument(value)) {
    throw new CodedError(
      'JOB_FILE_INVALID',
      `${path} holds no job description, which is keys and values, "engine" among them. Of a program, say what runs it: ${ENGINE_FLAGS}.`,
    );
  }
  return { path, job: value, lineOf: (field) => document.placeOf(field)?.line };
}

/**
 * A refusal of the job that names its fields, said with the lines of the file they stand in. Any other error as it is.
 */
export function withLines(error: unknown, { path, lineOf }: JobFile): unknown {
  if (!(error instanceof CodedError)) return error;
  const fields = fieldsShape.safeParse(error.data['errors']);
  if (!fields.success || fields.data.length === 0) return error;
  const lines = fields.data.map((field) => {
    const line = lineOf(field.path);
    return `\n  ${line === undefined ? '' : `line ${line}: `}${field.path}: ${field.message}`;
  });
  return new CodedError(error.code, `${path} was not accepted:${lines.join('')}`, {
    cause: error,
    data: error.data,
  });
}

function documentIn(bytes: Uint8Array, path: string): ReadDocument {
  try {
    return readDocument(bytes, extname(path).toLowerCase() === '.json' ? 'json' : 'yaml');
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    const { place, message } = cause;
    const where = place === undefined ? '' : `, line ${place.line}, column ${place.column}`;
    throw new CodedError('JOB_FILE_INVALID', `${path}${where}: ${message}.`, { cause });
  }
}

export function folderOf(path: string): string {
  return dirname(path);
}
