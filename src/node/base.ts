import type { NodeOptions } from '../config/node-options.ts';
import type { ContentStore } from '../content/index.ts';
import type { BlockTransport } from '../content/ports.ts';
import type { Notary } from '../domain/market/evidence.ts';
import type { Identity } from '../identity/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { CodedError } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { Libp2pNeeds } from '../network/libp2p/libp2p-underlay.ts';
import type { Underlay } from '../network/underlay.ts';
import type { Surroundings } from './machine.ts';
import type { TaskDriver } from '../provider/task-driver.ts';
import type { AttemptFolders, DiskGauge } from '../provider/ports.ts';
import type { MachineInventory } from '../provider/resources/probe.ts';
import type { Database } from '../store/database.ts';
import type { Store } from '../store/index.ts';

/** What the process knows of the machine, handed in because only the entry may ask. */
export interface Host {
  /** The Node.js that runs the children of tasks. */
  readonly nodePath: string;
  /** PATH: where optional tools are looked for. */
  readonly searchPath: string;
  /** 0 when no memory limit is set on this process. */
  readonly constrainedMemoryBytes: number;
}

/** Every outside-facing part can be replaced: tests and simulations use the same door. */
export interface NodeOverrides {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly identity?: Identity;
  readonly database?: Database;
  /** What signs, around or in place of that of the identity. */
  readonly notary?: (notary: Notary) => Notary;
  /** The simulated network's end of this node, in place of libp2p. */
  readonly underlay?: (identity: Identity) => Underlay;
  /** In place of TCP under libp2p. */
  readonly transports?: Libp2pNeeds['transports'];
  readonly content?: (transport: BlockTransport) => ContentStore;
  readonly drivers?: readonly TaskDriver[];
  readonly folders?: AttemptFolders;
  readonly disk?: DiskGauge;
  readonly machine?: MachineInventory;
  /** A look at the machine that has begun already. */
  readonly surroundings?: Surroundings | undefined;
  /** False: no HTTP interface. */
  readonly api?: boolean;
  readonly useBubblewrap?: 'auto' | 'never';
  /** Called once when the disk refuses: the node cannot go on. */
  readonly onFatal?: (error: CodedError) => void;
}

/** What every part of a node is built from. */
export interface NodeBase {
  readonly options: NodeOptions;
  readonly host: Host;
  readonly overrides: NodeOverrides;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly notary: Notary;
  readonly store: Store;
}
