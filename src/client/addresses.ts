import type { z } from 'zod';
import { CodedError } from '../lib/coded-error.ts';
import type { Operation } from '../openapi/operation.ts';

/** The parameters of an operation, as values or as the text that is sent. */
export type QueryOf<Asked extends Operation> = Asked extends {
  readonly query: infer Query extends z.ZodObject;
}
  ? Either<z.output<Query>, z.input<Query>>
  : Readonly<Record<string, never>>;

type Either<Values, Texts> = {
  readonly [Key in keyof Values]?: Values[Key] | (Key extends keyof Texts ? Texts[Key] : never) | undefined;
};

export type PathValues = Readonly<Record<string, string>>;

/** The address of an operation behind the node's own. Throws `USAGE` for a part that a URL would take as a way elsewhere. */
export function addressOf({ path }: Operation, values: PathValues = {}, query: object = {}): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    // Slashes of a file's path stay: each of its parts is one of the address.
    return name === 'path' ? value.split('/').map(segment).join('/') : segment(value);
  });
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

function segment(text: string): string {
  if (text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text);
  throw new CodedError(
    'USAGE',
    `${JSON.stringify(text)} names nothing here: give an id or a path as a list shows it.`,
  );
}
