import type { ApiOptions } from '../api/options.ts';
import type { ContentOptions } from '../content/options.ts';
import type { Location } from '../domain/matching/capability.ts';
import type { LogLevel } from '../lib/logger.ts';
import type { Libp2pOptions } from '../network/libp2p/options.ts';
import type { OrchestratorOptions } from '../orchestrator/options.ts';
import type { Onboarding, ProviderOptions } from '../provider/options.ts';
import type { RegistryOptions } from '../registry/options.ts';
import type { RetentionOptions, StoreOptions } from '../store/options.ts';

/** The options of every part, as the configuration gives them. */
export interface NodeOptions {
  readonly network: string;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly api: ApiOptions;
  readonly libp2p: Libp2pOptions;
  readonly orchestrator: OrchestratorOptions;
  readonly registry: Omit<RegistryOptions, 'ownJobs'>;
  readonly store: StoreOptions;
  readonly retention: RetentionOptions;
  readonly content: ContentOptions;
  /** Undefined: this node only posts jobs. */
  readonly provider?: ProviderOptions & {
    readonly onboard: Onboarding;
    readonly labels: Readonly<Record<string, string>>;
    readonly location: Location;
    /** Engines to offer out of those that work here; undefined offers all. */
    readonly engines?: readonly string[];
  };
}
