import type { ReadDocument } from './document.ts';
import { readJson } from './json-reader.ts';
import { textOf } from './utf8-text.ts';
import { readYaml } from './yaml-reader.ts';

export type DocumentFormat = 'json' | 'yaml';

/** What outside bytes say as JSON or YAML. Throws `DocumentFault`, with the place of the first fault. */
export function readDocument(bytes: Uint8Array, format: DocumentFormat): ReadDocument {
  const text = textOf(bytes);
  return format === 'json' ? readJson(text) : readYaml(text);
}
