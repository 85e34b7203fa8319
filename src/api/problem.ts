import { CodedError } from '../lib/coded-error.ts';
import { type ProblemCode, type ProblemStatus, problemCodes, problemType } from '../openapi/problem-codes.ts';

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
  readonly status: ProblemStatus;
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
  const code = coded?.code ?? '';
  if (coded === undefined || !isProblemCode(code) || code === 'INTERNAL') {
    const [status, title] = problemCodes.INTERNAL;
    return {
      type: problemType('INTERNAL'),
      title,
      status,
      code: 'INTERNAL',
      detail: 'The node could not carry out the request; its log says why.',
    };
  }
  const [status, title] = problemCodes[code];
  const errors = fieldErrorsOf(coded);
  return {
    type: problemType(code),
    title,
    status,
    code,
    detail: coded.message,
    ...(errors === undefined ? {} : { errors }),
  };
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemCodes, code);
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
