import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Attack, Target } from '../attack.ts';
import { loopbackOnly } from '../hostile-host.ts';
import { atRate } from '../persistence.ts';

const PER_SECOND = 400;
const MOST_SOCKETS = 600;
const NETWORKS = 200;
const NOISE_HELLO = '\x13/multistream/1.0.0\n\x07/noise\n';

/** Places of connections that never come to their end: silent, nonsense, and half of a handshake. */
export const halfOpen: Attack = {
  name: 'half-open',
  about: '400 sockets a second from 200 networks that say nothing, nonsense, or half of a handshake',
  protocol: 'tcp, multistream, noise',
  prepare: async (scene) => async (signal) => {
    await atRate(PER_SECOND, MOST_SOCKETS, signal, async (index) => {
      const target = scene.targets[index % scene.targets.length];
      if (target === undefined) return;
      scene.count('sockets');
      if (!(await socketTo(target, index, signal))) scene.count('ended by the node');
    });
  },
};

/** True when the attack was over before the node ended it. */
function socketTo({ address }: Target, index: number, signal: AbortSignal): Promise<boolean> {
  const [host, port] = loopbackOnly(address).getComponents();
  const socket = connect({
    host: host?.value ?? '127.0.0.1',
    port: Number(port?.value),
    localAddress: `127.90.${index % NETWORKS}.1`,
  });
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
    socket.on('connect', () => {
      if (index % 3 === 1) socket.write(randomBytes(32 * 1024));
      if (index % 3 === 2) socket.write(Buffer.concat([Buffer.from(NOISE_HELLO), randomBytes(64)]));
    });
  });
}
