import type { z } from 'zod';
import type { ProblemCode } from './problem-codes.ts';

export type Tag = 'jobs' | 'output' | 'node' | 'content' | 'health';

/** What a request can carry: a job description (JSON or YAML), or bytes of any kind. */
export type Body = 'job' | 'bytes';

export interface Answer {
  readonly description: string;
  /** The shape of an answer in JSON, and one that is like it. */
  readonly json?: z.ZodType;
  readonly example?: unknown;
  /** The media types of what is not JSON. */
  readonly media?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One thing that can be asked of a node. The node's routes, the OpenAPI document and the calls of the client are all made
 * of these: each has one route, one entry and one call, under its id.
 */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post';
  /** `{path}` takes the rest of the address, slashes included. */
  readonly path: string;
  readonly tag: Tag;
  /** A line. */
  readonly summary: string;
  readonly description: string;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it may be refused with, besides what every request may be. */
  readonly refusals: readonly ProblemCode[];
  /** Asked without the token, too. */
  readonly open?: true;
}

/** What any request may be refused with, open ones too. */
const EVERY: readonly ProblemCode[] = [
  'MALFORMED_REQUEST',
  'INVALID_QUERY',
  'HOST_FORBIDDEN',
  'ORIGIN_FORBIDDEN',
  'REQUEST_TIMEOUT',
  'EXPECTATION_FAILED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
  'RECORD_UNREADABLE',
  'STORE_CLOSED',
  'STOPPING',
];

/** What any request may be refused with that needs the token where there is one. */
export const ANY_REFUSAL: readonly ProblemCode[] = [...EVERY, 'UNAUTHORIZED'];

/** All that an operation may be refused with. */
export function refusalsOf({ refusals, open }: Operation): readonly ProblemCode[] {
  return [...(open === true ? EVERY : ANY_REFUSAL), ...refusals];
}
