import type { Constraints } from './constraint.ts';
import type { ResourceRequirements } from '../units/resources.ts';

/** What a job needs, without what it is: this is all that a stranger learns from a broadcast. */
export interface Requirements {
  readonly resources: ResourceRequirements;
  readonly engine: { readonly type: string };
  readonly constraints: Constraints;
  readonly executionTimeoutMs: number;
}
