import { ANY_REFUSAL, type Answer, type Operation, refusalsOf } from '../../openapi/operation.ts';
import { type ProblemCode, problemCodes, problemType } from '../../openapi/problem-codes.ts';
import { problemShape } from '../../openapi/shapes/problem.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { type Json, referenceTo } from './schemas.ts';

/** What most operations are refused with. */
const USUAL = byStatus(ANY_REFUSAL);

/** The refusals that most operations share. */
export function usualResponses(): Json {
  return Object.fromEntries([...USUAL].map(([status, codes]) => [nameOf(status), refusalOf(status, codes)]));
}

function nameOf(status: number): string {
  return `Refused${status}`;
}

function byStatus(codes: readonly ProblemCode[]): ReadonlyMap<number, readonly ProblemCode[]> {
  const found = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const [status] = problemCodes[code];
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return found;
}

/** What an operation answers, good and bad, by status. */
export function responsesOf(operation: Operation): Json {
  const refused = byStatus(refusalsOf(operation));
  const responses = new Map<number, Json>();
  for (const [status, codes] of refused) {
    const isUsual = codes.length === USUAL.get(status)?.length;
    responses.set(
      status,
      isUsual ? { $ref: `#/components/responses/${nameOf(status)}` } : refusalOf(status, codes),
    );
  }
  for (const [key, answer] of Object.entries(operation.answers)) {
    const status = Number(key);
    const codes = refused.get(status);
    responses.set(
      status,
      codes === undefined ? answerOf(answer) : merged(answerOf(answer), refusalOf(status, codes)),
    );
  }
  const sorted = [...responses].sort(([a], [b]) => a - b);
  return Object.fromEntries(sorted.map(([status, response]) => [String(status), response]));
}

function answerOf({ description, json, example, media = [], headers = {} }: Answer): Json {
  const content = {
    ...(json === undefined ? {} : { 'application/json': { schema: referenceTo(json), example } }),
    ...Object.fromEntries(media.map((type) => [type, { schema: bytesIn(type) }])),
  };
  return {
    description,
    ...headersOf(headers),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

/** Text is described as such; of other bytes the media type says all there is. */
function bytesIn(mediaType: string): Json {
  return mediaType.startsWith('text/') ? { type: 'string' } : {};
}

function refusalOf(status: number, codes: readonly ProblemCode[]): Json {
  const examples = Object.fromEntries(codes.map((code) => [code, exampleOf(code)]));
  return {
    description: codes.map((code) => `\`${code}\`: ${problemCodes[code][1]}.`).join('\n'),
    ...headersOf({
      ...(status === 401 ? { 'WWW-Authenticate': 'How to say who asks.' } : {}),
      ...(status === 429 || status === 503
        ? { 'Retry-After': 'Seconds until another try is worth it.' }
        : {}),
    }),
    content: { [PROBLEM_TYPE]: { schema: referenceTo(problemShape), examples } },
  };
}

function exampleOf(code: ProblemCode): Json {
  const [status, title] = problemCodes[code];
  const errors = FIELDS[code];
  const value = { type: problemType(code), title, status, code, detail: `${title}.` };
  return { summary: title, value: errors === undefined ? value : { ...value, errors } };
}

const FIELDS: Partial<Record<ProblemCode, readonly Json[]>> = {
  INVALID_JOB: [{ path: 'engine.params.argz', code: 'unknown_key', message: 'unknown key' }],
  INVALID_QUERY: [{ path: 'limit', code: 'invalid_format', message: 'expected a whole number' }],
};

function headersOf(headers: Readonly<Record<string, string>>): Json {
  const entries = Object.entries(headers);
  if (entries.length === 0) return {};
  return {
    headers: Object.fromEntries(
      entries.map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
    ),
  };
}

/** A status that is an answer and a refusal has the content of both. */
function merged(answer: Json, refusal: Json): Json {
  return {
    ...refusal,
    ...answer,
    description: `${String(answer['description'])}\n${String(refusal['description'])}`,
    content: { ...Object(answer['content']), ...Object(refusal['content']) },
  };
}
