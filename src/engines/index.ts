import type { Engine } from './engine.ts';
import { python } from './python/engine.ts';
import { wasm } from './wasm/engine.ts';

/** The engines of this version, one line for each; `src/provider/engines/index.ts` has its other half. */
export const engines: readonly Engine[] = [wasm, python];
