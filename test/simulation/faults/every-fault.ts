import { clockJump } from './clock-jump.ts';
import { crash } from './crash.ts';
import type { Fault } from './fault.ts';
import { fullDisk, fullQuota } from './full-disk.ts';
import { gracefulStop } from './graceful-stop.ts';

/** What goes wrong in the fault play, beside what the network does to frames and messages: each in its own file. */
export const everyFault: readonly Fault[] = [crash, clockJump, gracefulStop, fullDisk, fullQuota];
