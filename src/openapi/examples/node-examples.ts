import type { Status } from '../shapes/node.ts';
import type { Peer } from '../shapes/peer.ts';
import type { Resources } from '../shapes/resources.ts';
import { EXAMPLE_PROVIDER } from './job-examples.ts';

const GIB = 2 ** 30;
const NOTHING = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus: [] };
const HALF = { cpuMillis: 4000, memoryBytes: 8 * GIB, diskBytes: 50 * GIB, gpus: [] };
const price = { amount: '0.02', currency: 'USD', per: 'hour' };
const address = `/ip4/192.0.2.1/tcp/4001/p2p/${EXAMPLE_PROVIDER}`;

export const exampleStatus: Status = {
  peerId: EXAMPLE_PROVIDER,
  did: 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp',
  network: 'public',
  version: '0.1.0',
  multiaddrs: [address],
  peers: 3,
  openNetwork: true,
};

export const exampleResources: Resources = {
  machine: { ...HALF, cpuMillis: 8000, memoryBytes: 16 * GIB },
  onboarded: HALF,
  locked: NOTHING,
  allocated: NOTHING,
  free: HALF,
  leases: [],
  price,
};

export const examplePeer: Peer = {
  peerId: EXAMPLE_PROVIDER,
  connected: true,
  multiaddrs: [address],
  version: '0.1.0',
  engines: { python: '3.12.0' },
  location: { country: 'DE' },
  free: HALF,
  price,
  lastSeenAt: '2030-01-01T00:00:00.000Z',
  expiresAt: '2030-01-01T00:10:00.000Z',
};
