import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile } from './figure.ts';
import type { FloorFigures, FloorMessage, FloorPeer } from './floor-peer.ts';

const PROVIDERS = 4;
const PEER_FILE = fileURLToPath(new URL('floor-peer.ts', import.meta.url));

export interface Floor {
  readonly p50: number;
  readonly p99: number;
}

/**
 * The least a negotiation takes with libp2p as it comes, in milliseconds: as many processes, each connected with each
 * other one as nodes of one local network are. A message goes out by gossip, every provider opens a stream back and
 * says something of the size of a bid, and the first one makes two round trips of the sizes of ours. No signatures,
 * no disk, no decisions.
 */
export async function measureFloor({ iterations }: { readonly iterations: number }): Promise<Floor> {
  const children: ChildProcess[] = [];
  try {
    const roles = ['requester', ...Array.from({ length: PROVIDERS }, () => 'provider')];
    const peers: FloorPeer[] = [];
    for (const role of roles) {
      const child = fork(PEER_FILE, [role, String(iterations), String(PROVIDERS)]);
      children.push(child);
      const { peer } = await nextMessage<FloorMessage & { readonly peer: FloorPeer }>(child, children);
      peers.push(peer);
    }
    const [requester] = children;
    if (requester === undefined) throw new Error('there is no requester');
    const measured = nextMessage<FloorFigures>(requester, children);
    for (const child of children) child.send({ peers });
    const { samples } = await measured;
    return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
  } finally {
    await Promise.all(children.map(end));
  }
}

/** The next message of `child`; rejects when any of the processes ends first. */
async function nextMessage<T>(child: ChildProcess, all: readonly ChildProcess[]): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  const exits = all.map((one) =>
    once(one, 'exit', { signal }).then(() => {
      throw new Error('a process of the floor benchmark ended early');
    }),
  );
  for (const exit of exits) exit.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ...exits]);
    return message;
  } finally {
    settled.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
