import { parse } from 'yaml';
import type { Engine } from './programs.ts';

/** A scenario's job: its YAML, where `$name` stands for the peer id of a node, and its program. */
export function jobFrom(text: string, peerId: (name: string) => string, engine: Engine): object {
  const named = text.replaceAll(/\$([a-z]+)/g, (_, name: string) => peerId(name));
  const written: unknown = parse(named) ?? {};
  if (typeof written !== 'object' || written === null) throw new Error('a job is a map');
  return { engine, ...written };
}
