/**
 * The one table of what a node refuses with: its code, the HTTP status that goes with it and a title. What is not in it is a
 * fault of the node: `INTERNAL`, without details.
 */
export const problemCodes = {
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
  INTERNAL: [500, 'Something went wrong in this node'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

/** A code of this version; a newer node may have more. */
export type ProblemCode = keyof typeof problemCodes;
export type ProblemStatus = (typeof problemCodes)[ProblemCode][0];

/** What a problem's `type` is. */
export function problemType(code: string): string {
  return `urn:bidmesh:error:${code}`;
}
