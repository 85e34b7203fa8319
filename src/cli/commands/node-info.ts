import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { tableOf } from '../output/table.ts';
import { bytesText, coresText, priceText } from '../output/text.ts';
import { type PeerAnswer, peerListShape, resourcesShape, statusShape } from '../responses.ts';

const POOLS = ['machine', 'onboarded', 'allocated', 'locked', 'free'] as const;

export const addNodeCommands: CommandAdder = (program, actOf) => {
  const status = program.command('status').description('who the node is and whom it is connected with');
  status.action(() => actOf(status)(showStatus));
  const resources = program
    .command('resources')
    .description('what the machine has, what is offered, and what is free');
  resources.action(() => actOf(resources)(showResources));
  const peers = program.command('peers').description('the nodes this node knows, and what they have free');
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
  const table = tableOf(['POOL', 'CORES', 'MEMORY', 'DISK', 'GPUS'], rows);
  await output.result(
    resources,
    () => resources.offersNothing ?? `${table}\nleases  ${resources.leases.length}`,
  );
  return exitCodes.ok;
}

async function showPeers({ client, output }: CommandContext): Promise<number> {
  const peers = await client.json(peerListShape, '/dms/peers');
  await output.result(peers, () => tableOf(PEER_COLUMNS, peers.items.map(peerRow)));
  return exitCodes.ok;
}

const PEER_COLUMNS = ['PEER', 'STATE', 'LOCATION', 'CORES', 'MEMORY', 'GPUS', 'PRICE', 'ENGINES', 'VERSION'];

/** Amounts are what is free, as the peer told it last. */
function peerRow(peer: PeerAnswer): readonly string[] {
  const { peerId, connected, location = {}, free, price, engines = {}, version = '' } = peer;
  const place = ['continent', 'country', 'city', 'asn'].flatMap((part) => location[part] ?? []);
  const gpus = free?.gpus.filter(({ count }) => count > 0).map(({ model, count }) => `${count} × ${model}`);
  return [
    peerId,
    `${connected ? 'connected' : 'known'}${peer.draining === true ? ', draining' : ''}`,
    place.join(', '),
    free === undefined ? '' : coresText(free.cpuMillis),
    free === undefined ? '' : bytesText(free.memoryBytes),
    gpus?.join(', ') ?? '',
    price === undefined ? '' : priceText(price),
    Object.keys(engines).join(', '),
    version,
  ];
}
