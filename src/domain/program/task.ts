/** Content that a job needs, by content id. `size` is a bound that a fetch must not pass. */
export interface ContentRef {
  readonly cid: string;
  readonly size: number;
}

/** The program of a job, ready to run: everything by content id, nothing inline. */
export interface EngineSpec {
  readonly type: string;
  readonly args: readonly string[];
  readonly env: Env;
  readonly stdin: StandardInput;
  /** The engine's own params; those that are content are a {@link ContentRef}, and nothing else has its shape. */
  readonly [param: string]: unknown;
}

export type Env = Readonly<Record<string, string>>;

/** Short text stands where it is; bytes, and text that is longer, are content. */
export type StandardInput = string | ContentRef;

/** Every content id that a program and its inputs are made of. */
export function contentRefsOf(engine: EngineSpec, inputs: readonly InputMount[]): readonly ContentRef[] {
  return [...Object.values(engine).filter(isContentRef), ...inputs.map(({ content }) => content)];
}

export function isContentRef(value: unknown): value is ContentRef {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  return 'cid' in value && typeof value.cid === 'string' && 'size' in value && typeof value.size === 'number';
}

export interface InputMount {
  readonly target: string;
  readonly content: ContentRef;
}

export interface OutputPath {
  readonly name: string;
  readonly path: string;
}

/** What a contract's two sides agree to run: it travels with the proposal, and the terms hold its digest. */
export interface Invocation {
  readonly engine: EngineSpec;
  readonly inputs: readonly InputMount[];
  readonly outputs: readonly OutputPath[];
  readonly partition: number;
  readonly partitionCount: number;
}

/** Why an execution ended. A closed set: it is part of the API. */
export const exitReasons = [
  'completed',
  'exit-code',
  'trap',
  'invalid-module',
  'out-of-memory',
  'timeout',
  'output-limit',
  'denied',
  'image-unavailable',
  'input-unavailable',
  'requester-away',
  'lost',
  'cancelled',
  'internal',
] as const;

export type ExitReason = (typeof exitReasons)[number];
