import { assert } from '../lib/assert.ts';
import type { Engine } from './engine.ts';
import { engines } from './index.ts';

/** Short, since it is a key in adverts, and a word in commands. */
const ENGINE_TYPE = /^[a-z][a-z0-9-]{0,31}$/;
/** It is the name of a file too. */
const PARAM = /^[a-z][A-Za-z0-9]{0,31}$/;
/** What every program has beside the params of its engine. */
const COMMON: ReadonlySet<string> = new Set(['type', 'args', 'env', 'stdin']);

const byType = new Map(engines.map((engine) => [engine.type, engine]));
assert(byType.size === engines.length, 'two engines have the same name');
for (const { type, content, params, shortcut } of engines) {
  const names = [...Object.keys(content), ...Object.keys(params)];
  assert(ENGINE_TYPE.test(type), `an engine has a name that nobody could write: ${type}`);
  assert(
    names.every((name, at) => PARAM.test(name) && !COMMON.has(name) && names.indexOf(name) === at),
    `the params of ${type} have names that are not theirs alone`,
  );
  assert(
    shortcut === undefined || Object.hasOwn(content, shortcut.param),
    `${type} has a shortcut to nothing`,
  );
}

/** Undefined for one that this version does not know, as a message of another node may name it. */
export function engineNamed(type: string): Engine | undefined {
  return byType.get(type);
}

export const engineTypes: readonly string[] = [...byType.keys()];

/** Those of which the command line makes a job of a program alone. */
export const programEngines = engines.flatMap(({ type, shortcut }) =>
  shortcut === undefined ? [] : [{ type, shortcut }],
);
