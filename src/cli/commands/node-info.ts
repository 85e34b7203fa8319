import type { Peer, Status } from '../../client/index.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { tableOf } from '../output/table.ts';
import { bytesText, coresText, gpusText } from '../output/text.ts';
import { askingText } from '../output/price-text.ts';

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
  const node = program.command('node').description('take a node out of the market, and back into it');
  const drain = node
    .command('drain')
    .description('take no new work, also after a restart; what runs goes on');
  drain.action(() => actOf(drain)((context) => setDraining(context, true)));
  const undrain = node.command('undrain').description('take new work again');
  undrain.action(() => actOf(undrain)((context) => setDraining(context, false)));
};

const DRAINED = 'takes no new work until "bidmesh node undrain", also after a restart; what runs goes on';

async function setDraining({ client, output }: CommandContext, draining: boolean): Promise<number> {
  const answer = draining ? await client.drain() : await client.undrain();
  await output.result(answer, () => (answer.draining ? `The node ${DRAINED}.` : 'The node takes new work.'));
  return exitCodes.ok;
}

async function showStatus({ client, output }: CommandContext): Promise<number> {
  const status = await client.getStatus();
  await output.result(status, () =>
    [
      `peer     ${status.peerId}`,
      `did      ${status.did}`,
      `network  ${status.network}${status.openNetwork ? ' (open: any identity may take part)' : ''}`,
      `version  ${status.version}`,
      `peers    ${status.peers}${foreignText(status)}`,
      ...status.multiaddrs.map((address) => `address  ${address}`),
      ...(status.draining === true ? [`drained  ${DRAINED}`] : []),
      ...heldBackLines(status),
      ...damageLines(status),
    ].join('\n'),
  );
  return exitCodes.ok;
}

function heldBackLines({ heldBack = [] }: Status): string[] {
  return heldBack.map(({ peerId, prefix, code, times }) => {
    const from = prefix === undefined ? '' : ` from ${prefix}`;
    return `held     ${peerId}${from}: ${code}, ${times} time${times === 1 ? '' : 's'}`;
  });
}

function damageLines({ storeDamage }: Status): string[] {
  if (storeDamage === undefined) return [];
  const more = storeDamage.count - storeDamage.first.length;
  return [
    ...storeDamage.first.map(({ message }) => `damaged  ${message}`),
    ...(more > 0 ? [`damaged  and ${more} more, which are in the log of the node`] : []),
  ];
}

function foreignText({ foreignPeers = 0, otherNetworks = [] }: Status): string {
  if (foreignPeers === 0) return '';
  const of = otherNetworks.length === 0 ? '' : ` (${otherNetworks.join(', ')})`;
  return `, ${foreignPeers} of them of another network${of} or release: they will never answer`;
}

async function showResources({ client, output }: CommandContext): Promise<number> {
  const resources = await client.getResources();
  const rows = POOLS.map((pool) => {
    const { cpuMillis, memoryBytes, diskBytes, gpus } = resources[pool];
    return [
      pool,
      coresText(cpuMillis),
      bytesText(memoryBytes),
      bytesText(diskBytes),
      gpusText(gpus) || 'none',
    ];
  });
  const table = tableOf(['POOL', 'CORES', 'MEMORY', 'DISK', 'GPUS'], rows);
  await output.result(
    resources,
    () =>
      resources.offersNothing ??
      [
        table,
        `leases   ${resources.leases.length}`,
        ...(resources.price === undefined ? [] : [`price    ${askingText(resources.price)}`]),
        ...(resources.draining === true ? [`drained  ${DRAINED}`] : []),
      ].join('\n'),
  );
  return exitCodes.ok;
}

async function showPeers({ client, output }: CommandContext): Promise<number> {
  const peers = await client.listPeers();
  await output.result(peers, () => tableOf(PEER_COLUMNS, peers.items.map(peerRow)));
  return exitCodes.ok;
}

const RELEASES = { older: ', of an older release', newer: ', of a newer release' } as const;

function foreignState({ foreign, network, release }: Peer): string {
  if (foreign !== true) return '';
  if (release !== undefined) return RELEASES[release];
  return network === undefined ? ', no Bidmesh node' : `, of network ${network}`;
}

const PEER_COLUMNS = ['PEER', 'STATE', 'LOCATION', 'CORES', 'MEMORY', 'GPUS', 'PRICE', 'ENGINES', 'VERSION'];

/** Amounts are what is free, as the peer told it last. */
function peerRow(peer: Peer): readonly string[] {
  const { peerId, connected, location = {}, free, price, engines = {}, version = '' } = peer;
  const place = (['continent', 'country', 'city', 'asn'] as const).flatMap((part) => location[part] ?? []);
  return [
    peerId,
    `${connected ? 'connected' : 'known'}${peer.draining === true ? ', draining' : ''}${foreignState(peer)}`,
    place.join(', '),
    free === undefined ? '' : coresText(free.cpuMillis),
    free === undefined ? '' : bytesText(free.memoryBytes),
    gpusText(free?.gpus ?? []),
    price === undefined ? '' : askingText(price),
    Object.keys(engines).join(', '),
    version,
  ];
}
