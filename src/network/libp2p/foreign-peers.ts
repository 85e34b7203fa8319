import type { Logger } from '../../lib/logger.ts';
import type { ForeignPeer } from '../underlay.ts';

/** What holds the name of a network: a protocol of its market, which ends with a version, or what its peers are found by. */
const OUR_KIND = /^\/bidmesh\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})\/(?:[a-z]+\/(\d{1,9})$)?/;

interface Spoken {
  readonly network: string;
  /** Undefined for what is not of the market. */
  readonly version: number | undefined;
}

function spokenIn(protocol: string): readonly Spoken[] {
  const [, network, version] = OUR_KIND.exec(protocol) ?? [];
  if (network === undefined) return [];
  return [{ network, version: version === undefined ? undefined : Number(version) }];
}

function newestIn(spoken: readonly Spoken[]): number {
  return Math.max(0, ...spoken.map(({ version = 0 }) => version));
}

/**
 * What stands between this node, whose market speaks `own`, and a peer with these protocols; undefined where nothing
 * does.
 */
export function foreignness(
  protocols: readonly string[],
  network: string,
  own: ReadonlySet<string>,
): Omit<ForeignPeer, 'peer'> | undefined {
  if (protocols.some((protocol) => own.has(protocol))) return undefined;
  const spoken = protocols.flatMap(spokenIn);
  const [first] = spoken;
  if (first === undefined) return {};
  const here = spoken.filter((one) => one.network === network);
  if (here.length === 0) return { network: first.network };
  const newest = newestIn(here);
  if (newest === 0) return undefined;
  return { network, release: newest < newestIn([...own].flatMap(spokenIn)) ? 'older' : 'newer' };
}

const OTHER_RELEASE = {
  older: 'a peer of this network runs an older release and is not heard: it has to be updated',
  newer: 'a peer of this network runs a newer release and will never answer: update this node',
} as const;

export interface ForeignPeersNeeds {
  readonly network: string;
  /** The ids of this node's protocols. */
  readonly protocols: ReadonlySet<string>;
  readonly logger: Logger;
  /** True for a peer that the user named: that it will never answer is worth a word. */
  readonly isNamed: (peer: string) => boolean;
}

/** Connected peers that this node has no words with, by what they say they speak. */
export class ForeignPeers {
  readonly #needs: ForeignPeersNeeds;
  readonly #foreign = new Map<string, ForeignPeer>();
  /** Named peers, which are few, and the releases of all others: each is told of once in a life. */
  readonly #told = new Set<string>();

  constructor(needs: ForeignPeersNeeds) {
    this.#needs = needs;
  }

  identified(peer: string, protocols: readonly string[]): void {
    const between = foreignness(protocols, this.#needs.network, this.#needs.protocols);
    if (between === undefined) {
      this.#foreign.delete(peer);
      return;
    }
    this.#foreign.set(peer, { peer, ...between });
    this.#tell(peer, between);
  }

  gone(peer: string): void {
    this.#foreign.delete(peer);
  }

  list(): readonly ForeignPeer[] {
    return [...this.#foreign.values()];
  }

  #tell(peer: string, { network, release }: Omit<ForeignPeer, 'peer'>): void {
    const { logger, isNamed, network: own } = this.#needs;
    const subject = isNamed(peer) ? peer : release;
    if (subject === undefined || this.#told.has(subject)) return;
    this.#told.add(subject);
    if (release !== undefined) {
      logger.warn(OTHER_RELEASE[release], { peer, network: own });
    } else if (network === undefined) {
      logger.warn('a bootstrap peer is no Bidmesh node and will never answer', { peer });
    } else {
      logger.warn(
        'a bootstrap peer is of another network and will never answer; start with --network to join its own',
        { peer, network, own },
      );
    }
  }
}
