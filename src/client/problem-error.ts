import { CodedError } from '../lib/coded-error.ts';
import type { ProblemCode } from '../openapi/problem-codes.ts';
import { problemShape } from '../openapi/shapes/problem.ts';

/** A field at fault, such as `inputs.0.target`. */
export interface FieldFault {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/**
 * A refusal of the node. `code` never changes its meaning; `message` is a sentence for people that ends, where there is
 * one, with the next step; `fields` are those at fault.
 */
// oxlint-disable-next-line typescript/ban-types -- a newer node may have codes that this client does not know
export class ProblemError extends CodedError<ProblemCode | (string & {})> {
  readonly status: number;
  readonly title: string;
  readonly fields: readonly FieldFault[];
  /** Where another try is worth it, after how long. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined) {
    const { code, detail, status, title, errors = [] } = problem;
    super(code, detail, { data: { status, errors } });
    this.status = status;
    this.title = title;
    this.fields = errors;
    this.retryAfterMs = retryAfterMs;
  }
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly title: string;
  readonly errors?: readonly FieldFault[] | undefined;
}

/** The refusal that an answer is; undefined where it is not one of a node. */
export function problemIn(text: string, retryAfter: string | null): ProblemError | undefined {
  const problem = problemShape.safeParse(jsonIn(text));
  if (!problem.success) return undefined;
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  return new ProblemError(problem.data, seconds === undefined ? undefined : seconds * 1000);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
