import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

/** What a value is checked with so that {@link fieldWords} are said and a missing value can be told from a wrong one. */
export const fieldReport = { reportInput: true, error: fieldWords } as const;

/**
 * What a field takes, where its schema has no words of its own for that: what to write, for whoever wrote something
 * else. Never the value itself, as some are secrets.
 */
export function fieldWords(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `expected ${kindOf(issue.expected, issue.input)}`;
    case 'invalid_value':
      return issue.input === undefined ? 'is required' : `expected ${choiceOf(issue.values)}`;
    case 'invalid_union':
      return unionWords(issue);
    case 'too_small':
      return boundOf(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return boundOf(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'unrecognized_keys':
      return 'unknown key';
    case 'invalid_format':
      return issue.format === 'base64' ? 'expected base64' : undefined;
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
      return undefined;
  }
}

function kindOf(expected: string, input: unknown): string {
  const isText = typeof input === 'string';
  switch (expected) {
    case 'string':
      return typeof input === 'number' || typeof input === 'boolean' ? 'text: put it in quotes' : 'text';
    case 'number':
      return isText && /^-?\d+(\.\d+)?$/.test(input) ? 'a number, without quotes' : 'a number';
    case 'int':
      return 'a whole number';
    case 'boolean':
      return isText && /^(true|false)$/.test(input) ? 'true or false, without quotes' : 'true or false';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'keys and values';
    default:
      return `a value of another kind (${expected})`;
  }
}

function choiceOf(values: readonly unknown[]): string {
  const texts = values.map(String);
  const last = texts.at(-1) ?? 'nothing';
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(', ')} or ${last}`;
}

function unionWords(issue: RawIssue & { readonly code: 'invalid_union' }): string | undefined {
  if (issue.input === undefined) return 'is required';
  const options: unknown = issue['options'];
  return Array.isArray(options) ? `expected ${choiceOf(options)}` : undefined;
}

function boundOf(origin: string, bound: number | bigint, side: string): string {
  switch (origin) {
    case 'string':
      return `expected ${side} ${bound} ${bound === 1 ? 'character' : 'characters'}`;
    case 'array':
      return `expected ${side} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
    default:
      return `expected ${side} ${bound}`;
  }
}
