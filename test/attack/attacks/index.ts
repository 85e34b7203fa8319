import type { Attack } from '../attack.ts';
import { emptyFrames } from './empty-frames.ts';
import { nobody } from './nobody.ts';

/** In the order in which they are run. */
export const ATTACKS: readonly Attack[] = [nobody, emptyFrames];
