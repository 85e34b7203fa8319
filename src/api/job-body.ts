import { fieldReport } from '../domain/explain/field-words.ts';
import { type JobDescription, jobDescription } from '../domain/job/job-description.ts';
import { CodedError } from '../lib/coded-error.ts';
import { DocumentFault } from '../lib/documents/document-fault.ts';
import type { DocumentFormat } from '../lib/documents/read-document.ts';
import type { DocumentReader } from './document-reader.ts';
import { buriedKeysOf, fieldErrorsOf } from './field-errors.ts';
import { fieldErrors } from './problem.ts';

const NAMES: Readonly<Record<DocumentFormat, string>> = { json: 'JSON', yaml: 'YAML' };
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json']);
const YAML_TYPES: ReadonlySet<string> = new Set([
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
  'text/x-yaml',
]);

/**
 * Reads a posted job; the bytes are given away. Throws `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_BODY` (with line and column) or
 * `INVALID_JOB` (with every field at fault).
 */
export async function readJob(
  documents: DocumentReader,
  bytes: Uint8Array,
  contentType: string | undefined,
): Promise<JobDescription> {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return checkJob(await valueOf(documents, bytes, formatOf(mediaType)));
}

/** A job description in a value from outside. Throws `INVALID_JOB` with every field at fault. */
export function checkJob(value: unknown): JobDescription {
  const parsed = jobDescription.safeParse(value, fieldReport);
  const buried = buriedKeysOf(value);
  if (parsed.success && buried.length === 0) return parsed.data;
  const known = parsed.success ? [] : fieldErrorsOf(parsed.error);
  const errors = [...known, ...buried.filter(({ path }) => known.every((one) => one.path !== path))];
  const named = errors
    .slice(0, 3)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  throw fieldErrors('INVALID_JOB', `The job description was not accepted: ${named}.`, errors);
}

function formatOf(mediaType: string): DocumentFormat {
  if (JSON_TYPES.has(mediaType)) return 'json';
  if (YAML_TYPES.has(mediaType)) return 'yaml';
  throw new CodedError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Send the job as application/json or application/yaml and say so in Content-Type.',
  );
}

async function valueOf(
  documents: DocumentReader,
  bytes: Uint8Array,
  format: DocumentFormat,
): Promise<unknown> {
  try {
    return await documents.read(bytes, format);
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    const { place, message } = cause;
    const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`;
    throw new CodedError('MALFORMED_BODY', `The body is not ${NAMES[format]}${where}: ${message}.`, {
      cause,
      ...(place === undefined ? {} : { data: { ...place } }),
    });
  }
}
