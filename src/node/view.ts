import type { NodeStatus, NodeView, PeerLine, StoreDamageReport } from '../api/index.ts';
import { NO_RESOURCES } from '../domain/units/resources.ts';
import type { Identity } from '../identity/index.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { foreignNetworks } from '../network/foreign-networks.ts';
import type { HeldPeer } from '../network/allowances/held-peers.ts';
import type { ForeignPeer, Underlay } from '../network/underlay.ts';
import type { Provider } from '../provider/index.ts';
import type { Registry as PeerRegistry } from '../registry/index.ts';

export interface NodeViewNeeds {
  readonly identity: Identity;
  readonly network: string;
  readonly version: string;
  readonly underlay: Underlay;
  readonly provider: Provider | undefined;
  readonly registry: PeerRegistry;
  readonly clock: Clock;
  readonly bootstrapCount: number;
  readonly heldBack: () => readonly HeldPeer[];
  readonly damage: () => StoreDamageReport;
  /** Providers that could hear a request now. */
  readonly subscribers: () => number;
}

/** A node that was told of others waits this long for the first of them before it calls itself ready alone. */
const ALONE_AFTER_MS = 5000;

const OFFERS_NOTHING =
  'This node only posts jobs and offers nothing: provider.enabled is false in its configuration.';

/** The node around the requester, as the HTTP interface shows it. */
export function createNodeView(needs: NodeViewNeeds): NodeView {
  const startedAtMs = needs.clock.monotonicMs();
  const { identity, underlay, provider } = needs;
  const nothing = {
    machine: NO_RESOURCES,
    onboarded: NO_RESOURCES,
    locked: NO_RESOURCES,
    allocated: NO_RESOURCES,
    free: NO_RESOURCES,
    leases: [],
    offersNothing: OFFERS_NOTHING,
  };
  return {
    status: () => ({
      peerId: identity.peerId,
      did: identity.did,
      network: needs.network,
      version: needs.version,
      multiaddrs: underlay.multiaddrs(),
      peers: underlay.connectedPeers().length,
      ...foreignersOf(underlay),
      openNetwork: true,
      ...(provider === undefined ? {} : { draining: provider.draining }),
      ...heldBackOf(needs.heldBack()),
      ...damageOf(needs.damage()),
    }),
    resources: () =>
      provider === undefined
        ? nothing
        : {
            ...provider.pools(),
            leases: provider.leases(),
            price: provider.price,
            draining: provider.draining,
          },
    setDraining: async (draining) => {
      if (provider === undefined) throw new CodedError('OFFERS_NOTHING', OFFERS_NOTHING);
      await provider.setDraining(draining);
    },
    peers: () => peerLines(needs),
    ready: () => {
      const waiting =
        needs.bootstrapCount > 0 &&
        needs.subscribers() === 0 &&
        needs.clock.monotonicMs() - startedAtMs < ALONE_AFTER_MS;
      return waiting
        ? { ok: false, reasons: ['No node of the network was met yet.'] }
        : { ok: true, reasons: [] };
    },
  };
}

/** Who wants to know of more reads the log and the metrics. */
const MOST_SHOWN = 16;

function heldBackOf(held: readonly HeldPeer[]): Pick<NodeStatus, 'heldBack'> {
  if (held.length === 0) return {};
  return {
    heldBack: held.slice(0, MOST_SHOWN).map(({ peer, prefix, code, times }) => ({
      peerId: peer,
      ...(prefix === undefined ? {} : { prefix }),
      code,
      times,
    })),
  };
}

function damageOf(storeDamage: StoreDamageReport): Pick<NodeStatus, 'storeDamage'> {
  return storeDamage.count === 0 ? {} : { storeDamage };
}

function foreignersOf(underlay: Underlay): Pick<NodeStatus, 'foreignPeers' | 'otherNetworks'> {
  const foreign = underlay.foreignPeers();
  if (foreign.length === 0) return {};
  return { foreignPeers: foreign.length, otherNetworks: foreignNetworks(foreign) };
}

/** The peer table, and the peers that are connected without being in it. */
function peerLines({ underlay, registry }: NodeViewNeeds): readonly PeerLine[] {
  const entries = registry.peers();
  const foreign = new Map(underlay.foreignPeers().map((known) => [known.peer, known]));
  const listed = new Set(entries.map(({ peerId }) => peerId));
  return [
    ...entries.map(({ peerId, advert, receivedAt, expiresAt }) => ({
      peerId,
      connected: underlay.isConnected(peerId),
      multiaddrs: underlay.addressesOf?.(peerId) ?? [],
      version: advert.nodeVersion,
      engines: advert.engines,
      runtimes: advert.runtimes,
      labels: advert.labels,
      location: advert.location,
      free: advert.free,
      price: advert.price,
      draining: advert.draining,
      ...(advert.features === undefined ? {} : { features: advert.features }),
      lastSeenAt: receivedAt,
      expiresAt,
    })),
    ...underlay
      .connectedPeers()
      .filter((peerId) => !listed.has(peerId))
      .map((peerId) => ({
        peerId,
        connected: true,
        multiaddrs: underlay.addressesOf?.(peerId) ?? [],
        ...foreignness(foreign.get(peerId)),
      })),
  ];
}

function foreignness(known: ForeignPeer | undefined): Pick<PeerLine, 'foreign' | 'network' | 'release'> {
  if (known === undefined) return {};
  const { peer: _, ...between } = known;
  return { foreign: true, ...between };
}
