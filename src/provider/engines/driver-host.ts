import type { Sandbox } from '../sandbox/sandbox.ts';

/** What a driver is made from: each takes what it needs. */
export interface DriverHost {
  /** For engines whose programs are WASI commands; they share it. */
  readonly sandbox: Sandbox;
}
