import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuickPickleWorld } from 'quickpickle';
import type { TestContext } from 'vitest';
import type { Bid, BidmeshClient, Explanation, JobEvent } from '../../src/client/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import type { Underlay } from '../../src/network/underlay.ts';
import { startClumsyPeer } from './clumsy-peer.ts';
import type { FollowedLog } from './followed-log.ts';
import type { Address, HttpAnswer } from './http-answer.ts';
import { jobFrom } from './job-text.ts';
import { PostedJob } from './posted-job.ts';
import { type KnownProcess, ProcessMarket } from './process-market.ts';
import { type Engine, programOf, python } from './programs.ts';
import { startSilentPeer } from './silent-peer.ts';
import { type NodeSpec, startTestNode, type TestNode } from './test-node.ts';
import { until } from './until.ts';

const ACQUAINTED_WITHIN_MS = 10_000;
const FREE_AGAIN_WITHIN_MS = 10_000;

/** One scenario: a private network, its nodes, and what was posted and answered. Everything it made ends with it. */
export class MarketWorld extends QuickPickleWorld {
  // Said again here because the package's own types cannot be resolved by Node's rules.
  declare readonly context: TestContext;
  declare readonly info: { readonly tags: readonly string[]; readonly errors: readonly unknown[] };
  readonly network = `feature-${randomBytes(6).toString('hex')}`;
  readonly jobs: PostedJob[] = [];
  readonly answers: HttpAnswer[] = [];
  /** Python scripts by name. */
  readonly scripts = new Map<string, string>();
  /** The log that is being followed. */
  log: FollowedLog | undefined;
  /** The peer that sends what is wrong. */
  stranger: string | undefined;
  /** What the last dry run said. */
  tried: Explanation | undefined;
  /** What was known of the job when its node was killed. */
  eventsBefore: readonly JobEvent[] = [];
  /** Providers that were killed, and the processes that the last of them had. */
  readonly killed: string[] = [];
  orphans: readonly KnownProcess[] = [];
  readonly #askedBefore = new Map<string, { readonly directly: number; readonly byGossip: number }>();
  readonly #nodes = new Map<string, TestNode>();
  readonly #silentPeers: Underlay[] = [];
  readonly #clumsyPeers: Underlay[] = [];
  readonly #over = new AbortController();
  /** Nodes that are processes of their own. */
  readonly processes = new ProcessMarket(this.network, this.#over.signal);
  #root: string | undefined;

  async init(): Promise<void> {
    await super.init();
    this.context.onTestFinished(() => this.#dispose());
  }

  /** Starts a node that is told of all earlier ones, or of the first alone. */
  async start(spec: Omit<NodeSpec, 'realEngines'>, told: 'all' | 'first' = 'all'): Promise<TestNode> {
    this.#root ??= await mkdtemp(join(tmpdir(), 'bidmesh-feature-'));
    const node = await startTestNode(
      { ...spec, realEngines: this.info.tags.includes('@real-engines') },
      {
        network: this.network,
        root: this.#root,
        bootstrap: told === 'all' ? this.#addresses() : this.#addresses().slice(0, 1),
        toldOfAll: told === 'all',
        signal: this.#over.signal,
      },
    );
    this.#nodes.set(spec.name, node);
    return node;
  }

  /** Starts a node that is told of all earlier ones and is of another network than they. */
  async startElsewhere(spec: Omit<NodeSpec, 'realEngines'>, network: string): Promise<void> {
    this.#root ??= await mkdtemp(join(tmpdir(), 'bidmesh-feature-'));
    const around = {
      root: this.#root,
      bootstrap: this.#addresses(),
      toldOfAll: true,
      signal: this.#over.signal,
    };
    this.#nodes.set(spec.name, await startTestNode({ ...spec, realEngines: false }, { ...around, network }));
  }

  async addSilentPeer(): Promise<void> {
    this.#silentPeers.push(await startSilentPeer(this.network, this.#addresses()));
  }

  /** Starts a stranger that sends a node what is wrong until the scenario ends; gives its peer id. */
  async addClumsyPeer(name: string): Promise<string> {
    const { node } = this.node(name);
    const target = { peerId: node.peerId, address: node.multiaddrs()[0] ?? '' };
    const peer = await startClumsyPeer(this.network, target, this.#over.signal);
    this.#clumsyPeers.push(peer);
    return peer.self;
  }

  async dropSilentPeers(): Promise<void> {
    await Promise.all(this.#silentPeers.splice(0).map((peer) => peer.stop()));
  }

  /** Waits until every node knows every provider, so that a search can tell when all of them have answered. */
  async acquaint(): Promise<void> {
    const { requestsTopic } = protocolNames(this.network);
    const listeners = [
      ...[...this.#nodes.values()].filter(({ node }) => node.provider !== undefined).map(peerIdOf),
      ...this.#silentPeers.map((peer) => peer.self),
    ];
    await until('every node knows every provider', ACQUAINTED_WITHIN_MS, () =>
      [...this.#nodes.values()].every(({ underlay }) => {
        const known = new Set([underlay.self, ...underlay.subscribers(requestsTopic)]);
        return listeners.every((peer) => known.has(peer));
      }),
    );
  }

  /** Waits until a node is connected with another that hears its requests. */
  async haveMet(name: string, other: string): Promise<void> {
    const { requestsTopic } = protocolNames(this.network);
    const { underlay } = this.node(name);
    await until(`${name} has met ${other}`, ACQUAINTED_WITHIN_MS, () =>
      underlay.subscribers(requestsTopic).includes(this.peerId(other)),
    );
  }

  /** Waits until a node knows that another one it is connected with is not of its network. */
  async haveMetElsewhere(name: string, other: string): Promise<void> {
    const { underlay } = this.node(name);
    await until(`${name} has met ${other}`, ACQUAINTED_WITHIN_MS, () =>
      underlay.foreignPeers().some(({ peer }) => peer === this.peerId(other)),
    );
  }

  /** Waits until every process has met another node, as far as it was told of one. */
  async processesReady(): Promise<void> {
    for (const { name, api } of this.processes.all()) {
      await until(`${name} is ready`, ACQUAINTED_WITHIN_MS, async () => {
        return (await api.getReadiness()).ok;
      });
    }
  }

  node(name: string): TestNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`the scenario has no node called ${name}`);
    return node;
  }

  nodeNames(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  peerId(name: string): string {
    return peerIdOf(this.node(name));
  }

  /** Peer ids as the names the scenario gave them. */
  nameOf(peerId: string): string {
    const found =
      [...this.#nodes.values()].find((node) => peerIdOf(node) === peerId) ??
      this.processes.all().find((node) => node.peerId === peerId);
    return found?.name ?? peerId;
  }

  /** The HTTP interface of a node, in this process or in one of its own. */
  api(name: string): BidmeshClient {
    return this.processes.find(name)?.api ?? this.node(name).api;
  }

  /** Where a node listens. */
  url(name: string): Address {
    return this.processes.find(name)?.url ?? (() => this.node(name).node.apiUrl);
  }

  /** Stops a node and forgets it. */
  async stop(name: string): Promise<void> {
    const { node } = this.node(name);
    this.#nodes.delete(name);
    await node.stop();
  }

  /** Posts a job to a node: YAML in which `$name` stands for a peer id, and a program that ends at once unless it has one. */
  async post(name: string, text = '', engine = programOf('ends at once')): Promise<PostedJob> {
    this.#noteAsked();
    const api = this.api(name);
    const description = jobFrom(text, (node) => this.peerId(node), engine);
    const { id } = await api.postJob({ json: JSON.stringify(description) });
    const job = new PostedJob(id, name, this.url(name), api);
    this.jobs.push(job);
    return job;
  }

  /** Searches for a job of a node without posting it. */
  async try(name: string, text: string): Promise<void> {
    this.#noteAsked();
    const description = jobFrom(text, (node) => this.peerId(node), programOf('ends at once'));
    this.tried = await this.api(name).postJob({ json: JSON.stringify(description) }, { dryRun: true });
  }

  /** How often a node was asked since the last job was posted or tried: directly, and by gossip. */
  asked(name: string): { readonly directly: number; readonly byGossip: number } {
    const before = this.#askedBefore.get(name) ?? { directly: 0, byGossip: 0 };
    const now = this.#askedInAll(name);
    return { directly: now.directly - before.directly, byGossip: now.byGossip - before.byGossip };
  }

  #askedInAll(name: string): { readonly directly: number; readonly byGossip: number } {
    const counters = this.node(name).node.counters();
    return { directly: counters['request.direct'] ?? 0, byGossip: counters['gossip.request'] ?? 0 };
  }

  #noteAsked(): void {
    for (const name of this.#nodes.keys()) this.#askedBefore.set(name, this.#askedInAll(name));
  }

  /** Makes the job of a node the one that is looked at. */
  lookAtJobOf(owner: string): void {
    const at = this.jobs.findLastIndex((job) => job.owner === owner);
    if (at < 0) throw new Error(`${owner} has posted no job`);
    this.jobs.push(...this.jobs.splice(at, 1));
  }

  /** The program that a scenario describes in words, or one of its scripts. */
  program(words: string): Engine {
    const script = this.scripts.get(/^runs "(.*)"$/.exec(words)?.[1] ?? '');
    return script === undefined ? programOf(words) : python(script);
  }

  /** The one posted last. */
  get job(): PostedJob {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('the scenario has posted no job');
    return job;
  }

  get answer(): HttpAnswer {
    const answer = this.answers.at(-1);
    if (answer === undefined) throw new Error('the scenario has no answer');
    return answer;
  }

  /** Of the job posted last, best first. */
  bids(): Promise<readonly Bid[]> {
    return this.job.bids();
  }

  /** The nodes on which a job's partitions completed. */
  async winners(job: PostedJob): Promise<readonly string[]> {
    const { executions } = await job.view();
    return executions
      .filter(({ observedState }) => observedState === 'Completed')
      .map(({ provider }) => this.nameOf(provider));
  }

  /** Waits until no provider has anything locked or allocated any more. */
  async capacityIsBack(): Promise<void> {
    for (const { name, api } of [...this.#nodes.values(), ...this.processes.running()]) {
      await until(`the capacity of ${name} is free again`, FREE_AGAIN_WITHIN_MS, async () => {
        const { onboarded, free, leases } = await api.getResources();
        return leases.length === 0 && free.cpuMillis === onboarded.cpuMillis;
      });
    }
  }

  #addresses(): readonly string[] {
    return [...this.#nodes.values()].flatMap(({ node }) => node.multiaddrs().slice(0, 1));
  }

  async #dispose(): Promise<void> {
    this.#over.abort();
    await this.processes.stop();
    await this.dropSilentPeers();
    await Promise.all(this.#clumsyPeers.map((peer) => peer.stop()));
    for (const { underlay } of this.#nodes.values()) underlay.restore();
    await Promise.all([...this.#nodes.values()].map(({ node }) => node.stop()));
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true });
  }
}

function peerIdOf({ node }: TestNode): string {
  return node.peerId;
}
