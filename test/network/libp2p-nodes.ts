import { randomBytes } from 'node:crypto';
import { memory } from '@libp2p/memory';
import { vi } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits, type Libp2pOptions } from '../../src/network/libp2p/options.ts';
import type { Underlay } from '../../src/network/underlay.ts';
import { newPrivateKey } from './private-key.ts';

const LONGEST_WAIT_MS = 15_000;
const CHECK_EVERY_MS = 2;

export type TransportName = 'tcp' | 'memory';

interface Libp2pSetup extends Partial<Omit<Libp2pOptions, 'limits'>> {
  readonly limits?: Partial<Libp2pOptions['limits']>;
}

export interface NodeSetup extends Libp2pSetup {
  readonly transport?: TransportName;
  readonly privateKeyRaw?: Uint8Array;
}

function ephemeralAddress(transport: TransportName): string {
  return transport === 'tcp' ? '/ip4/127.0.0.1/tcp/0' : `/memory/${randomBytes(8).toString('hex')}`;
}

export function createNode(setup: NodeSetup = {}): Underlay {
  const { transport = 'tcp', privateKeyRaw = newPrivateKey(), ...options } = setup;
  return createLibp2pUnderlay(libp2pOptions({ listen: [ephemeralAddress(transport)], ...options }), {
    privateKeyRaw,
    clock: systemClock,
    logger: silentLogger,
    ...(transport === 'memory' ? { transports: [memory()] } : {}),
  });
}

/** Of a node that meets nobody by itself, on a port of its own. */
export function libp2pOptions({ limits, ...options }: Libp2pSetup = {}): Libp2pOptions {
  return {
    network: 'test',
    listen: [ephemeralAddress('tcp')],
    announce: [],
    bootstrap: [],
    mdns: false,
    kadDht: 'off',
    peerExchange: true,
    libp2pLogs: false,
    ...options,
    limits: { ...defaultLibp2pLimits, ...limits },
  };
}

/** Waits until the condition holds, looking every few milliseconds. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error(`never came true: ${condition.toString()}`);
    },
    { timeout: LONGEST_WAIT_MS, interval: CHECK_EVERY_MS },
  );
}

export type Links = 'each-other' | 'first';

/** Started nodes that are connected with each other, or all with the first one only. */
export async function startNodes(
  count: number,
  setup: NodeSetup & { readonly links?: Links },
  prepare: (node: Underlay, index: number) => void = () => {},
): Promise<Underlay[]> {
  const { links = 'each-other', ...rest } = setup;
  const nodes: Underlay[] = [];
  for (let index = 0; index < count; index += 1) {
    const known = links === 'first' ? nodes.slice(0, 1) : nodes;
    const bootstrap = known.flatMap((one) => one.multiaddrs().slice(0, 1));
    const node = createNode({ ...rest, bootstrap });
    prepare(node, index);
    await node.start();
    nodes.push(node);
  }
  const neighbours = (index: number): number => (links === 'first' && index > 0 ? 1 : count - 1);
  await until(() => nodes.every((node, index) => node.connectedPeers().length >= neighbours(index)));
  return nodes;
}

export async function stopAll(nodes: readonly Underlay[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}
