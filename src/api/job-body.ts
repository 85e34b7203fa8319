import { type Document, isScalar, LineCounter, visit } from 'yaml';
import { fieldReport } from '../domain/field-words.ts';
import { type JobDescription, jobDescription } from '../domain/job-description.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { buriedKeysOf, fieldErrorsOf } from './field-errors.ts';
import { fieldErrors } from './problem.ts';
import { parseYaml, YamlFault } from './yaml-document.ts';

/** An alias may stand for its anchor this often in total; more is an attempt to blow the document up. */
const MOST_ALIASES = 64;
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json']);
const YAML_TYPES: ReadonlySet<string> = new Set([
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
  'text/x-yaml',
]);

/**
 * Reads a posted job. Throws `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_BODY` (with the line where it is known) or
 * `INVALID_JOB` (with every field at fault).
 */
export function readJob(bytes: Uint8Array, contentType: string | undefined): JobDescription {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const value = decoderOf(mediaType)(textOf(bytes));
  const parsed = checkJob(value);
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

function checkJob(value: unknown): ReturnType<typeof jobDescription.safeParse> {
  try {
    return jobDescription.safeParse(value, fieldReport);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CodedError('MALFORMED_BODY', 'The body is nested too deeply.', { cause });
  }
}

function decoderOf(mediaType: string): (text: string) => unknown {
  if (JSON_TYPES.has(mediaType)) return decodeJson;
  if (YAML_TYPES.has(mediaType)) return decodeYaml;
  throw new CodedError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Send the job as application/json or application/yaml and say so in Content-Type.',
  );
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CodedError('MALFORMED_BODY', 'The body is not UTF-8 text.', { cause });
  }
}

function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const position = /position (\d+)/.exec(messageOf(cause))?.[1];
    const offset = position === undefined ? text.length : Number(position);
    throw malformed('JSON', messageOf(cause).replace(/ in JSON.*$/s, ''), lineAt(text, offset), cause);
  }
}

/** YAML 1.2 core: plain values as JSON has them, no tags of any other kind, no key twice, not very deep. */
function decodeYaml(text: string): unknown {
  const lineCounter = new LineCounter();
  const refusal = (reason: string, offset: number | undefined, cause?: unknown): CodedError =>
    malformed('YAML', reason, offset === undefined ? undefined : lineCounter.linePos(offset).line, cause);
  try {
    const document = parseYaml(text, lineCounter);
    const repeated = repeatedKey(document);
    if (repeated !== undefined) throw refusal('Map keys must be unique', repeated);
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return value;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw refusal(messageOf(cause), cause instanceof YamlFault ? cause.offset : undefined, cause);
  }
}

/** Where a key stands that its map has before; undefined when there is none. */
function repeatedKey(document: Document.Parsed): number | undefined {
  let place: number | undefined;
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name: unknown = isScalar(key) ? key.value : key;
        if (seen.has(name)) {
          place = isScalar(key) ? key.range?.[0] : map.range?.[0];
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return place;
}

function malformed(format: string, reason: string, line: number | undefined, cause?: unknown): CodedError {
  const place = line === undefined ? '' : ` (line ${line})`;
  return new CodedError('MALFORMED_BODY', `The body is not ${format}${place}: ${reason}`, {
    cause,
    ...(line === undefined ? {} : { data: { line } }),
  });
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
