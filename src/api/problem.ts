import { CodedError } from '../lib/coded-error.ts';

type ErrorStatus = 400 | 401 | 403 | 404 | 408 | 409 | 413 | 415 | 417 | 422 | 429 | 431 | 500 | 503 | 507;

/** The one table from error codes to HTTP. A code that is not here is a fault of this node: 500, without details. */
const KNOWN: Readonly<Record<string, readonly [status: ErrorStatus, title: string]>> = {
  MALFORMED_REQUEST: [400, 'This is no HTTP request that is taken here'],
  REQUEST_ABORTED: [400, 'The client left in the middle of its request'],
  MALFORMED_BODY: [400, 'The body cannot be read'],
  INVALID_JOB: [400, 'The job description is not valid'],
  INVALID_QUERY: [400, 'The request parameters are not valid'],
  CURSOR_INVALID: [400, 'The cursor is not one of this list'],
  PARTITION_REQUIRED: [400, 'The job has several results'],
  UNAUTHORIZED: [401, 'A token is required'],
  HOST_FORBIDDEN: [403, 'The request names another host'],
  ORIGIN_FORBIDDEN: [403, 'The request comes from a web page of another origin'],
  JOB_NOT_FOUND: [404, 'There is no such job'],
  EXECUTION_NOT_FOUND: [404, 'There is no such execution'],
  CONTENT_NOT_FOUND: [404, 'There is no such content'],
  CONTENT_UNAVAILABLE: [404, 'The content is not here'],
  RESULT_NOT_FOUND: [404, 'There is no such result'],
  LOGS_UNAVAILABLE: [404, 'There are no logs'],
  ROUTE_NOT_FOUND: [404, 'There is no such route'],
  REQUEST_TIMEOUT: [408, 'The request took too long'],
  JOB_FINISHED: [409, 'The job is over'],
  OFFERS_NOTHING: [409, 'The node offers nothing'],
  REVISION_CONFLICT: [409, 'The job changed meanwhile'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  COMMIT_TOO_LARGE: [413, 'The job is too large to be kept'],
  CONTENT_TOO_LARGE: [413, 'The content is too large'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'The content type is not supported'],
  EXPECTATION_FAILED: [417, 'The request expects what this node does not do'],
  IDEMPOTENCY_CONFLICT: [422, 'The idempotency key was used with another body'],
  INPUT_UNAVAILABLE: [422, 'An input of the job is not here'],
  CONTENT_INVALID: [422, 'The content does not match its id'],
  TOO_MANY_JOBS: [429, 'The node holds too many jobs'],
  HEADERS_TOO_LARGE: [431, 'The headers are too large'],
  STORE_FAILED: [503, 'The store refuses to write'],
  RECORD_UNREADABLE: [500, 'A record of the store is damaged'],
  STORE_BUSY: [503, 'The store has too much to write'],
  STORE_CLOSED: [503, 'The node is stopping'],
  STOPPING: [503, 'The node is stopping'],
  TOO_MANY_WATCHERS: [503, 'Too many jobs are being watched'],
  BODIES_FULL: [503, 'Too many bodies are on their way'],
  READER_BUSY: [503, 'Too many large bodies are being read'],
  TOO_MANY_STREAMS: [503, 'Too many streams are open'],
  DISK_FULL: [507, 'The disk of the node is full'],
  QUOTA_EXCEEDED: [507, 'The content quota is used up'],
};

export const PROBLEM_TYPE = 'application/problem+json';

export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** RFC 9457, with this project's stable `code`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: ErrorStatus;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** A refusal of a request that names the fields at fault. */
export function fieldErrors(
  code: 'INVALID_JOB' | 'INVALID_QUERY',
  detail: string,
  errors: readonly FieldError[],
): CodedError {
  return new CodedError(code, detail, { data: { errors } });
}

export function problemOf(error: unknown): Problem {
  const coded: CodedError | undefined = error instanceof CodedError ? error : undefined;
  const known = coded === undefined ? undefined : KNOWN[coded.code];
  if (coded === undefined || known === undefined) {
    return {
      type: 'urn:bidmesh:error:INTERNAL',
      title: 'Something went wrong in this node',
      status: 500,
      code: 'INTERNAL',
      detail: 'The node could not carry out the request; its log says why.',
    };
  }
  const [status, title] = known;
  const errors = fieldErrorsOf(coded);
  return {
    type: `urn:bidmesh:error:${coded.code}`,
    title,
    status,
    code: coded.code,
    detail: coded.message,
    ...(errors === undefined ? {} : { errors }),
  };
}

function fieldErrorsOf(error: CodedError): readonly FieldError[] | undefined {
  const errors = error.data['errors'];
  return Array.isArray(errors) ? errors.filter(isFieldError) : undefined;
}

function isFieldError(value: unknown): value is FieldError {
  return (
    typeof value === 'object' && value !== null && 'path' in value && 'code' in value && 'message' in value
  );
}
