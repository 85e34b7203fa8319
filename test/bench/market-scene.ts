import { answerFit } from '../../src/domain/ranking/answering.ts';
import { fitAfter } from '../../src/domain/matching/bid-fit.ts';
import type { ResourceRequirements } from '../../src/domain/units/resources.ts';
import { VALIDITY_INTERVALS } from '../../src/domain/market/advert.ts';
import { jobDescription } from '../../src/domain/job/job-description.ts';
import { createVerifier } from '../../src/identity/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import { defaultRegistryLimits } from '../../src/registry/options.ts';
import { SimulatedUnderlay } from '../simulation/simulated-underlay.ts';
import { type Machine, World } from '../simulation/world.ts';
import { described, type Fleet, machineOf, resourcesOfJob } from './market-fleet.ts';
import {
  type LightProvider,
  NETWORK,
  Received,
  sharingVerdicts,
  startLightProvider,
} from './market-provider.ts';

export interface ScaleOptions {
  readonly nodes: number;
  readonly fleet: Fleet;
  readonly jobs: number;
}

export interface ScaleResult {
  readonly bidsHandledPerJob: number;
  readonly messagesPerNodePerJob: number;
  readonly successRate: number;
  /** Share of the fitting providers on which a job would have sat better than where it went, for each job. */
  readonly winnerPercentiles: readonly number[];
  readonly postToContractMs: readonly number[];
  readonly satisfiable: number;
}

const WANTED_BIDS = 5;
/** The same at every size: what adverts cost is then the same share of what a job costs. */
const JOB_EVERY_MS = 500;
/** After the post: by then most of those who bid have looked at what they have free. */
const BIDDING_MS = 250;
/** What fits make of a shortlist, with nothing else: what is measured is whom the request reached. */
const BY_FIT = { soft: 3, load: 2, fit: 2 };
const LINKS_PER_NODE = 4;
const JOB_LIMIT_MS = 60_000;
/**
 * Up to here the providers tell of themselves as nodes do, and the market opens when they have settled. To let thousands
 * settle takes too long: their adverts come as often as those of a settled network do, with nothing told before its time.
 */
export const MOST_WHO_TELL = 100;
const SETTLING_INTERVALS = 6;
/** Of the time before the first job. */
const LISTENED_MS = 30 * 60_000;

/** What the requesters of the benchmark want: twice as many bids are the budget. */
export const wantedBids = WANTED_BIDS;

/** One requester and `nodes` providers on a random graph. Production code but for the wires, the disks and the sandbox. */
export async function runScale({ nodes, fleet, jobs }: ScaleOptions): Promise<ScaleResult> {
  const tellsOfItself = nodes <= MOST_WHO_TELL;
  const world = new World({
    seed: `market ${fleet} ${nodes}`,
    network: { latencyMs: [20, 150], connectAll: false },
  });
  const received = new Received();
  const verifier = sharingVerdicts(createVerifier(NETWORK, world.clock));
  const requester = await world.start('requester', { provides: false });
  const random = world.random.fork('fleet');
  const providers: LightProvider[] = [];
  for (let index = 0; index < nodes; index += 1) {
    const starting = startLightProvider(world, String(index), machineOf(fleet, random, index), {
      verifier,
      received,
      tellsOfItself,
    });
    providers.push(await starting);
  }
  if (!tellsOfItself) await fillTable(world, requester, providers);
  link(world, requester, providers);
  await world.clock.advanceBy(tellsOfItself ? SETTLING_INTERVALS * advertIntervalMs(nodes) : 1000);
  return postJobs(world, requester, providers, received, { nodes, fleet, jobs });
}

/** How long the adverts of a settled network of this size are apart. */
function advertIntervalMs(nodes: number): number {
  const { baseIntervalMs, intervalPerPeerMs, longestIntervalMs } = defaultRegistryLimits;
  return Math.min(longestIntervalMs, Math.max(baseIntervalMs, nodes * intervalPerPeerMs));
}

/** The requester listens for a while before the first job: it hears of the providers as often as they tell of themselves. */
async function fillTable(
  world: World,
  requester: Machine,
  providers: readonly LightProvider[],
): Promise<void> {
  const underlay = requester.life?.simulated.underlay;
  if (!(underlay instanceof SimulatedUnderlay)) throw new Error('the requester does not run');
  const hear = underlay.validatorOf(protocolNames(NETWORK).advertsTopic);
  const intervalMs = advertIntervalMs(providers.length);
  const gapMs = intervalMs / providers.length;
  const heard = Math.round(LISTENED_MS / gapMs);
  for (let time = 0; time < heard; time += 1) {
    const provider = providers[time % providers.length];
    if (provider !== undefined)
      hear?.(`neighbour ${time % (2 * LINKS_PER_NODE)}`, provider.advert(VALIDITY_INTERVALS * intervalMs));
    await world.clock.advanceBy(gapMs);
  }
}

function link(world: World, requester: Machine, providers: readonly LightProvider[]): void {
  const random = world.random.fork('links');
  const peers = providers.map(({ peer }) => peer);
  for (const [index, peer] of peers.entries()) {
    const links = Math.min(index, LINKS_PER_NODE);
    const others = new Set<number>();
    while (others.size < links) others.add(random.integer(0, index - 1));
    for (const other of others) {
      const otherPeer = peers[other];
      if (otherPeer !== undefined) world.network.connect(peer, otherPeer);
    }
  }
  for (const peer of random.pick(peers.slice(0, 1000), 2 * LINKS_PER_NODE)) {
    world.network.connect(requester.identity.peerId, peer);
  }
}

interface PostedJob {
  readonly jobId: string;
  /** How well it would sit on each provider that can take it while bids are made, by peer. */
  readonly fits: ReadonlyMap<string, number>;
}

async function postJobs(
  world: World,
  requester: Machine,
  providers: readonly LightProvider[],
  received: Received,
  { nodes, fleet, jobs }: ScaleOptions,
): Promise<ScaleResult> {
  const node = world.nodeOf(requester);
  const handled = (): number => {
    const counters = node.counters();
    return (counters['negotiation.kept'] ?? 0) + (counters['negotiation.refused'] ?? 0);
  };
  const adverts = advertising(world, providers);
  const before = { handled: handled(), gossip: received.gossip, frames: received.frames };
  const posted: PostedJob[] = [];
  for (let index = 0; index < jobs; index += 1) {
    const resources = resourcesOfJob(fleet, index);
    const description = jobDescription.parse({
      resources: described(resources),
      timeouts: { queue: '30s' },
      prefer: BY_FIT,
      engine: { type: 'wasm', params: { module: { base64: 'AGFzbQEAAAA=' } } },
    });
    if (fitsOf(resources, providers).size === 0) continue;
    const posting = node.orchestrator.postJob(description, { bodyDigest: 'none' });
    const { jobId } = await world.clock.runUntilSettled(posting, 10_000);
    await adverts(BIDDING_MS);
    posted.push({ jobId, fits: fitsOf(resources, providers) });
    await adverts(JOB_EVERY_MS - BIDDING_MS);
  }
  const left = new Set(posted.map(({ jobId }) => jobId));
  for (let waitedMs = 0; left.size > 0 && waitedMs < JOB_LIMIT_MS; waitedMs += JOB_EVERY_MS) {
    await world.clock.advanceBy(JOB_EVERY_MS);
    for (const jobId of left) {
      const state = (await world.clock.runUntilSettled(node.orchestrator.job(jobId), 1000))?.job.state;
      if (state === 'Completed' || state === 'Failed') left.delete(jobId);
    }
  }
  const messages = received.gossip - before.gossip + received.frames - before.frames;
  const bids = handled() - before.handled;
  const ends = [];
  for (const job of posted) ends.push(await endOf(world, requester, job));
  const placed = ends.filter((end) => end !== undefined);
  return {
    satisfiable: posted.length,
    bidsHandledPerJob: bids / posted.length,
    messagesPerNodePerJob: messages / nodes / posted.length,
    successRate: placed.length / posted.length,
    winnerPercentiles: placed.flatMap(({ percentile }) => percentile ?? []),
    postToContractMs: placed.map(({ contractMs }) => contractMs),
  };
}

function fitsOf(
  resources: ResourceRequirements,
  providers: readonly LightProvider[],
): ReadonlyMap<string, number> {
  const gpusWanted = resources.gpus.reduce((sum, group) => sum + group.count, 0);
  const fits = new Map<string, number>();
  for (const { peer, provider } of providers) {
    const fit = fitAfter(resources, provider.pools());
    if (fit !== undefined) fits.set(peer, answerFit(1000, fit, gpusWanted));
  }
  return fits;
}

/** Lets time pass in which the providers tell of themselves, one after the other, as often as so many of them do. */
function advertising(
  world: World,
  providers: readonly LightProvider[],
): (durationMs: number) => Promise<void> {
  if (providers.length <= MOST_WHO_TELL) return (durationMs) => world.clock.advanceBy(durationMs);
  const intervalMs = advertIntervalMs(providers.length);
  let owed = 0;
  let next = 0;
  return async (durationMs) => {
    owed += (durationMs * providers.length) / intervalMs;
    const due = Math.floor(owed);
    owed -= due;
    for (let index = 0; index < due; index += 1) {
      providers[next % providers.length]?.advertise(VALIDITY_INTERVALS * intervalMs);
      next += 1;
      await world.clock.advanceBy(durationMs / (due + 1));
    }
    await world.clock.advanceBy(durationMs / (due + 1));
  };
}

/** Where a job went; undefined when it was not placed. */
async function endOf(
  world: World,
  requester: Machine,
  { jobId, fits }: PostedJob,
): Promise<{ readonly percentile: number | undefined; readonly contractMs: number } | undefined> {
  const { orchestrator } = world.nodeOf(requester);
  const snapshot = await world.clock.runUntilSettled(orchestrator.job(jobId), 1000);
  const winner = snapshot?.executions.find(({ observed }) => observed.state === 'Completed');
  if (snapshot === undefined || winner === undefined) return undefined;
  const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 1000), 1000);
  const accepted = events.find(({ type }) => type === 'contract.accepted');
  const own = fits.get(winner.provider) ?? 0;
  const better = [...fits.values()].filter((fit) => fit > own).length;
  return {
    // Nobody was free when it was posted, and it waited for its turn.
    percentile: fits.size === 0 ? undefined : better / fits.size,
    contractMs: (accepted?.at ?? Number.NaN) - snapshot.job.createdAt,
  };
}
