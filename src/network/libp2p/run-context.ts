import type { Ed25519PrivateKey } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { GossipVerdict, UnderlayListener } from '../underlay.ts';
import type { Transports } from './host.ts';
import type { ProtocolHandler } from './live-channels.ts';
import type { Libp2pOptions } from './options.ts';

export type Validate = (from: string, message: Uint8Array) => GossipVerdict;

/** What one life of the transport starts from. */
export interface RunContext {
  readonly options: Libp2pOptions;
  readonly bootstrap: readonly Multiaddr[];
  readonly self: string;
  readonly privateKey: Ed25519PrivateKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transports: Transports | undefined;
  readonly topics: ReadonlyMap<string, Validate>;
  readonly handlers: ReadonlyMap<string, ProtocolHandler>;
  readonly listeners: ReadonlySet<UnderlayListener>;
}
