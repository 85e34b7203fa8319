import { parse } from 'yaml';
import type { Engine } from './programs.ts';

/** A scenario's text, where `$name` stands for the peer id of a node. */
export function withPeerIds(text: string, peerId: (name: string) => string): string {
  return text.replaceAll(/\$([a-z]+)/g, (_, name: string) => peerId(name));
}

/** A scenario's job: its YAML and its program. */
export function jobFrom(text: string, peerId: (name: string) => string, engine: Engine): object {
  const written: unknown = parse(withPeerIds(text, peerId)) ?? {};
  if (typeof written !== 'object' || written === null) throw new Error('a job is a map');
  return { engine, ...written };
}
