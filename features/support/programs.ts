import {
  floodModule,
  growModule,
  helloAndSpinModule,
  helloModule,
  noopModule,
  printStringsModule,
  spinModule,
  trapModule,
} from '../../test/fixtures/wasm-modules.ts';

/** What a job description says about its program. */
export interface Engine {
  readonly type: 'wasm' | 'python';
  readonly params: Readonly<Record<string, unknown>>;
}

function wasm(module: Uint8Array): Engine {
  return { type: 'wasm', params: { module: { base64: Buffer.from(module).toString('base64') } } };
}

export function python(script: string): Engine {
  return { type: 'python', params: { script: { text: script } } };
}

const PROGRAMS: readonly (readonly [RegExp, (match: readonly string[]) => Engine])[] = [
  [/^ends at once$/, () => wasm(noopModule())],
  [/^prints "(.*)"$/, ([, text = '']) => wasm(helloModule(text))],
  [/^prints "(.*)" and never ends$/, ([, text = '']) => wasm(helloAndSpinModule(text))],
  [/^prints without end$/, () => wasm(floodModule())],
  [/^prints its environment$/, () => wasm(printStringsModule('environ'))],
  [/^never ends$/, () => wasm(spinModule())],
  [/^executes unreachable$/, () => wasm(trapModule())],
  [/^takes all memory$/, () => wasm(growModule())],
  [/^is not a WebAssembly module$/, () => wasm(new TextEncoder().encode('#!/bin/sh\necho hello\n'))],
];

/** The program that a scenario describes in words. */
export function programOf(words: string): Engine {
  for (const [pattern, build] of PROGRAMS) {
    const match = pattern.exec(words);
    if (match !== null) return build(match);
  }
  throw new Error(`no program "${words}"`);
}
