import type { Resources } from '../units/resources.ts';
import type { RuntimeMemory } from './runtime-memory.ts';

export interface Location {
  readonly continent?: string;
  readonly country?: string;
  readonly city?: string;
  readonly asn?: string;
}

/** What does not change while a node runs. */
export interface NodeTraits {
  readonly peerId: string;
  readonly nodeVersion: string;
  readonly cpu: {
    readonly cores: number;
    readonly arch: string;
    readonly model: string;
    readonly vendor: string;
  };
  readonly engines: Readonly<Record<string, string>>;
  readonly runtimes: Readonly<Record<string, string>>;
  /** What is booked with a job beside the memory that it asks for. Nodes that do not say book nothing. */
  readonly runtimeMemory?: RuntimeMemory;
  readonly labels: Readonly<Record<string, string>>;
  readonly location: Location;
}

/** The four pools. machine ⊇ onboarded = free + locked + allocated; bids are made on `free`. */
export interface Pools {
  readonly machine: Resources;
  readonly onboarded: Resources;
  readonly locked: Resources;
  readonly allocated: Resources;
  readonly free: Resources;
}

/** What requirements are compared with. */
export interface AvailableCapability {
  readonly traits: NodeTraits;
  readonly onboarded: Resources;
  readonly free: Resources;
}
