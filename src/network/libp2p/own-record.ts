import type { Ed25519PrivateKey } from '@libp2p/interface';
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../lib/clock.ts';
import { byWidestFirst } from './address-scope.ts';
import { sealPeerRecord } from './peer-record.ts';

export interface OwnRecordNeeds {
  readonly privateKey: Ed25519PrivateKey;
  readonly clock: Clock;
  /** What this node tells others: the announced addresses where there are any, else those listened on. */
  addresses(): readonly Multiaddr[];
}

/** This node's signed peer record, sealed anew when its addresses change. */
export class OwnRecord {
  readonly #needs: OwnRecordNeeds;
  #bytes = new Uint8Array();
  #sealedFor: string | undefined;

  constructor(needs: OwnRecordNeeds) {
    this.#needs = needs;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  async refresh(): Promise<void> {
    const addresses = this.#needs
      .addresses()
      .map((address) => address.decapsulateCode(CODE_P2P))
      .toSorted(byWidestFirst);
    const sealedFor = addresses.join(' ');
    if (sealedFor === this.#sealedFor) return;
    this.#sealedFor = sealedFor;
    this.#bytes = new Uint8Array(
      await sealPeerRecord(this.#needs.privateKey, addresses, this.#needs.clock.livedMs()),
    );
  }
}
