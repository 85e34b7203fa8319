import { refusalSentence } from '../../../../src/words/refusal-words.ts';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import type { ContractRecord } from '../../../../src/domain/market/contract.ts';
import { type Evidence } from '../../../../src/domain/market/evidence.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { contentIdOf, encodeCanonical } from '../../../../src/lib/canonical.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { createProvider, type Provider } from '../../../../src/provider/index.ts';
import { defaultProviderLimits, type ProviderLimits } from '../../../../src/provider/options.ts';
import type { ProviderStore } from '../../../../src/provider/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { INVOCATION, ONBOARDED, providerOptions, TRAITS } from '../bidding/bidding-desk.ts';
import { plainCalendar } from '../../fakes/plain-calendar.ts';
import { evidence, notaryOf, requestOf, termsOf } from '../../fakes/market.ts';
import { ScriptedContent, ScriptedDriver, ScriptedFolders } from './workshop.ts';

/** Small enough that all of them are full long before the end. */
const FEW = 100;
const MIB = 2 ** 20;
/** Of each job's variables. */
const PROGRAM_BYTES = 16 * 1024;
/** So little that many contracts stand at once. */
const RESOURCES = { cpuMillis: 10, memoryBytes: 1, diskBytes: 0, gpus: [] };
const { requirements: REQUIREMENTS } = requestOf();

const limits: ProviderLimits = {
  ...defaultProviderLimits,
  admission: { ...defaultProviderLimits.admission, rememberedRequesters: FEW, strangersApartMs: 0 },
  strikes: { ...defaultProviderLimits.strikes, maxPeers: FEW },
  strangers: { ...defaultProviderLimits.strangers, unbegunEnds: FEW },
};

/** Knows contracts for as long as they stand, and nothing else. */
class ForgetfulStore implements ProviderStore {
  readonly contracts = new Map<string, ContractRecord>();
  readonly executions = new Set<string>();

  async commit({
    contracts = [],
    executions = [],
    forgottenExecutionIds = [],
  }: Parameters<ProviderStore['commit']>[0]): Promise<void> {
    for (const contract of contracts) {
      if (contract.state === 'TERMINATED') this.contracts.delete(contract.contractId);
      else this.contracts.set(contract.contractId, contract);
    }
    for (const { item } of executions) this.executions.add(item.executionId);
    for (const executionId of forgottenExecutionIds) this.executions.delete(executionId);
  }

  async load(): ReturnType<ProviderStore['load']> {
    return { leases: [], executions: [], highestLockVersion: 0 };
  }

  async contract(contractId: string): Promise<ContractRecord | undefined> {
    return this.contracts.get(contractId);
  }

  async never(): Promise<undefined> {}
  async answer(): Promise<undefined> {}
}

/** Nothing of it ever comes. */
class UnreachableContent extends ScriptedContent {
  override fetch(
    _cid: string,
    _from: unknown,
    _maxBytes: number,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number }> {
    const { promise, reject } = Promise.withResolvers<{ readonly bytes: number }>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  }
}

/** A provider, and identities of which each closes a contract and is gone. */
class Scene {
  readonly clock = new FakeClock();
  readonly store = new ForgetfulStore();
  readonly provider: Provider;
  /** What is held against whom. */
  readonly struck = new Map<string, readonly string[]>();
  #made = 0;

  constructor() {
    const content = new UnreachableContent();
    this.provider = createProvider(providerOptions({ limits }), {
      clock: this.clock,
      calendar: plainCalendar,
      random: new SeededRandom('provider'),
      logger: silentLogger,
      notary: notaryOf('provider'),
      refusalSentence,
      store: this.store,
      strikes: {
        load: async () => [],
        write: async ({ kept }) => {
          for (const { peer, tallies } of kept)
            this.struck.set(
              peer,
              tallies.map(({ kind }) => kind),
            );
        },
      },
      link: {
        peerRecord: () => Uint8Array.of(2),
        isConnected: () => true,
        report: () => Promise.reject(new CodedError('PEER_UNREACHABLE', 'gone')),
      },
      content,
      disk: { freeBytes: async () => undefined },
      folders: new ScriptedFolders(),
      drivers: [new ScriptedDriver()],
      check: { check: async () => ({ ok: true }) },
      traits: { peerId: 'provider', ...TRAITS },
      machine: ONBOARDED,
      onboarded: ONBOARDED,
    });
  }

  async start(): Promise<void> {
    await this.clock.runUntilSettled(this.provider.start(), 1000);
  }

  /** So many contracts, as many at once as fit, until each is over. */
  async closeAndVanish(count: number): Promise<void> {
    for (let closed = 0; closed < count; closed += 1) {
      const contract = this.#close((this.#made += 1));
      if (!(await this.clock.runUntilSettled(contract, 1000))) {
        await this.clock.advanceBy(30_000);
        closed -= 1;
      }
    }
    await this.clock.advanceBy(30_000);
  }

  /** A lock for the only execution of a job; undefined where there is none to be had. */
  async lock(number: number): Promise<{ readonly bid: Bid; readonly requester: string } | undefined> {
    const { handler: desk } = this.provider;
    const requester = `stranger-${number}`;
    const jobId = `job-${number}`;
    const requirements = { ...REQUIREMENTS, resources: RESOURCES };
    const request = requestOf({ requestId: `request-${number}`, jobId, requirements });
    const answer = await desk.answer(evidence('bid-request', request, requester));
    if (answer.kind !== 'bid') return undefined;
    await answer.durable;
    const { bidId, requestId } = answer.bid.value;
    const executionId = `${jobId}.v1.p0r0.a1`;
    const asked = { requestId, bidId, executionId, attempt: 1 };
    const locked = await desk.lock(requester, evidence('job-request', asked, requester), request);
    return { bid: (locked as Evidence<Bid>).value, requester };
  }

  async #close(number: number): Promise<boolean> {
    const { handler: desk } = this.provider;
    const { bid, requester } = (await this.lock(number)) ?? {};
    if (bid?.lock === undefined || requester === undefined) return false;
    const { jobId, lock, executionId = '' } = bid;
    const engine = { ...INVOCATION.engine, env: { PADDING: 'x'.repeat(PROGRAM_BYTES) + number } };
    const invocation = { ...INVOCATION, engine };
    const terms = termsOf({
      jobId,
      executionId,
      requester,
      bidId: bid.bidId,
      lockId: lock.lockId,
      lockVersion: lock.version,
      resources: RESOURCES,
      invocationDigest: contentIdOf(encodeCanonical(invocation)),
    });
    const proposal = { terms: evidence('contract-terms', terms, requester), invocation };
    const contract = await desk.accept(requester, proposal, bid);
    desk.ended(requester, bid.requestId);
    if (!('contractId' in contract)) throw new Error(JSON.stringify(contract.value));
    return true;
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

describe('who holds something in vain', () => {
  it('is struck, by what it was', async () => {
    const scene = new Scene();
    await scene.start();
    await scene.closeAndVanish(1);
    await scene.clock.runUntilSettled(scene.lock(2), 1000);
    await scene.clock.advanceBy(limits.lockTtlMs);
    const soon = await scene.clock.runUntilSettled(scene.lock(3), 1000);
    await scene.clock.advanceBy(limits.strangers.unusedLockMs - 1);
    if (soon !== undefined) scene.provider.handler.ended(soon.requester, soon.bid.requestId);
    const late = await scene.clock.runUntilSettled(scene.lock(4), 1000);
    await scene.clock.advanceBy(limits.strangers.unusedLockMs);
    if (late !== undefined) scene.provider.handler.ended(late.requester, late.bid.requestId);
    await scene.clock.advanceBy(60_000);
    expect(scene.struck).toEqual(
      new Map([
        ['stranger-1', ['contract-never-begun']],
        ['stranger-2', ['lock-unused']],
        ['stranger-4', ['lock-unused']],
      ]),
    );
    await scene.clock.runUntilSettled(scene.provider.stop(), 10_000);
  });
});

describe('contracts that never begin', () => {
  it('leave nothing in memory but the ends that are still told', { timeout: 60_000 }, async () => {
    const scene = new Scene();
    await scene.start();
    await scene.closeAndVanish(500);
    const before = heapBytes();
    await scene.closeAndVanish(2000);
    expect(scene.provider.leases()).toEqual([]);
    expect(scene.store.executions.size).toBeLessThanOrEqual(FEW);
    expect(scene.store.contracts.size).toBeLessThanOrEqual(FEW);
    expect(heapBytes() - before).toBeLessThan(12 * MIB);
    await scene.clock.runUntilSettled(scene.provider.stop(), 10_000);
  });
});
