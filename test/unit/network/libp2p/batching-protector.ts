import type { ConnectionProtector } from '@libp2p/interface';
import { batchWrites } from '../../../../src/network/libp2p/write-batching.ts';

/** Has a libp2p host of its own batch its writes as a node does, where a private network's cipher would stand. */
export function writeBatching(): ConnectionProtector {
  return {
    protect: (connection) => {
      batchWrites(connection);
      return Promise.resolve(connection);
    },
  };
}
