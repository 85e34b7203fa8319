import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { tableOf } from '../output/output.ts';
import { bytesText, coresText } from '../output/text.ts';
import { peerListShape, resourcesShape, statusShape } from '../responses.ts';

const POOLS = ['machine', 'onboarded', 'allocated', 'locked', 'free'] as const;

export const addNodeCommands: CommandAdder = (program, actOf) => {
  const status = program.command('status').description('who the node is and whom it is connected with');
  status.action(() => actOf(status)(showStatus));
  const resources = program
    .command('resources')
    .description('what the machine has, what is offered, and what is free');
  resources.action(() => actOf(resources)(showResources));
  const peers = program.command('peers').description('the nodes this node knows');
  peers.action(() => actOf(peers)(showPeers));
};

async function showStatus({ client, output }: CommandContext): Promise<number> {
  const status = await client.json(statusShape, '/dms/status');
  await output.result(status, () =>
    [
      `peer     ${status.peerId}`,
      `did      ${status.did}`,
      `network  ${status.network}${status.openNetwork ? ' (open: any identity may take part)' : ''}`,
      `version  ${status.version}`,
      `peers    ${status.peers}`,
      ...status.multiaddrs.map((address) => `address  ${address}`),
    ].join('\n'),
  );
  return exitCodes.ok;
}

async function showResources({ client, output }: CommandContext): Promise<number> {
  const resources = await client.json(resourcesShape, '/dms/resources');
  const rows = POOLS.map((pool) => {
    const { cpuMillis, memoryBytes, diskBytes, gpus } = resources[pool];
    return [pool, coresText(cpuMillis), bytesText(memoryBytes), bytesText(diskBytes), String(gpus.length)];
  });
  await output.result(resources, () =>
    [tableOf(['POOL', 'CORES', 'MEMORY', 'DISK', 'GPUS'], rows), `leases  ${resources.leases.length}`].join(
      '\n',
    ),
  );
  return exitCodes.ok;
}

async function showPeers({ client, output }: CommandContext): Promise<number> {
  const peers = await client.json(peerListShape, '/dms/peers');
  const rows = peers.items.map(({ peerId, connected, multiaddrs }) => [
    peerId,
    connected ? 'connected' : 'known',
    multiaddrs[0] ?? '',
  ]);
  await output.result(peers, () => tableOf(['PEER', 'STATE', 'ADDRESS'], rows));
  return exitCodes.ok;
}
