import { afterEach, describe, expect, it } from 'vitest';
import { createNotary, createVerifier, identityOf } from '../../src/identity/index.ts';
import { declineMessage } from '../../src/messages/decline.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { decodeFrame, encodeFrame } from '../../src/messages/frame.ts';
import { verifySignedContract } from '../unit/messages/contract-check.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import { protocolNames } from '../../src/network/names.ts';
import * as sample from '../unit/messages/samples.ts';
import { disagreements } from './contract-copies.ts';
import { laterNotary } from './later-notary.ts';
import { type Machine, World } from './world.ts';

const NETWORK = 'simulated';
const names = protocolNames(NETWORK);

let world: World;

afterEach(() => world.stop());

async function completed(requester: Machine, jobId: string): Promise<void> {
  const { orchestrator } = world.nodeOf(requester);
  await world.until(
    async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
    60_000,
    'the job',
  );
}

/** Everything that was held against anybody, or not understood. */
function blame(): readonly string[] {
  return [...world.machines.values()].flatMap((machine) =>
    Object.keys(world.nodeOf(machine).counters())
      .filter((name) => /^fault\.|^gossip\.[A-Z]|^peer\.|MALFORMED|UNKNOWN|OUT_OF_TURN|BAD_/.test(name))
      .map((name) => `${machine.name}: ${name}`),
  );
}

async function expectContract(requester: Machine, jobId: string, provider: Machine): Promise<void> {
  // Until both sides know that it is over.
  await world.clock.advanceBy(10_000);
  const { orchestrator } = world.nodeOf(requester);
  const [contract, ...others] = await orchestrator.contracts(jobId);
  if (contract?.providerSignature === undefined) throw new Error('no contract was closed');
  const { contractId, terms, providerSignature } = contract;
  expect(others).toEqual([]);
  expect(terms.value.provider).toBe(provider.identity.peerId);
  const verifier = createVerifier(NETWORK, world.clock);
  expect(verifySignedContract(verifier, { contractId, terms, providerSignature })).toBe(true);
  expect(await world.clock.runUntilSettled(disagreements(world, requester, [jobId]), 10_000)).toEqual([]);
}

describe('a node of a later release', () => {
  it('closes contracts with the nodes of this one, both ways', async () => {
    world = new World({ seed: 'both ways' });
    const here = await world.start('here', { provides: true });
    const later = await world.start('later', { provides: true, notary: laterNotary });
    await world.clock.advanceBy(5000);
    const jobs = [await world.post(here), await world.post(later)] as const;
    await completed(here, jobs[0]);
    await completed(later, jobs[1]);
    await expectContract(here, jobs[0], later);
    await expectContract(later, jobs[1], here);
    expect(blame()).toEqual([]);
  });

  it('is heard through nodes of this one, which hand on what it signed', async () => {
    world = new World({ seed: 'in between', network: { connectAll: false } });
    const later = await world.start('later', { provides: true, notary: laterNotary });
    const between = await world.start('between', { provides: false });
    const far = await world.start('far', { provides: true });
    for (const end of [later, far]) world.network.connect(end.identity.peerId, between.identity.peerId);
    await world.clock.advanceBy(60_000);
    const jobId = await world.post(far, { excludedProviders: [far.identity.peerId] });
    await completed(far, jobId);
    await expectContract(far, jobId, later);
    expect(blame()).toEqual([]);
  });

  it('may end work for a reason that is not known here: it reads as internal, and the work goes elsewhere', async () => {
    world = new World({
      seed: 'reasons',
      exitReason: (executionId) => (executionId.endsWith('.a1') ? 'trap' : 'completed'),
    });
    const requester = await world.start('requester', { provides: false });
    const later = await world.start('later', { provides: true, notary: laterNotary });
    const here = await world.start('here', { provides: true });
    await world.clock.advanceBy(5000);
    const jobId = await world.post(requester, { preferredProviders: [later.identity.peerId] });
    await completed(requester, jobId);
    const executions = (await world.nodeOf(requester).orchestrator.job(jobId))?.executions ?? [];
    const ends = executions.map(({ provider, observed }) => [
      provider,
      observed.state,
      'end' in observed ? observed.end.exitReason : undefined,
    ]);
    expect(ends).toEqual([
      [later.identity.peerId, 'Failed', 'internal'],
      [here.identity.peerId, 'Completed', 'completed'],
    ]);
    expect(blame()).toEqual([]);
  });

  it('is told that the engine it asks for is not here, and not that it is malformed', async () => {
    world = new World({ seed: 'engines' });
    const here = await world.start('here', { provides: true });
    const identity = identityOf(world.random.fork('later').bytes(32));
    const { underlay } = world.network.node(identity.peerId);
    const notary = laterNotary(createNotary(identity, NETWORK, world.clock));
    const answers: string[] = [];
    underlay.handle(names.negotiation, defaultNetworkLimits.protocols.negotiation, (channel) => {
      void channel.receive().then((bytes) => {
        const frame = decodeFrame(bytes ?? new Uint8Array(), 2 ** 20);
        const decline =
          frame.ok && createVerifier(NETWORK, world.clock).open(declineMessage, frame.value.body);
        answers.push(decline !== false && decline.ok ? decline.value.value.code : 'no decline');
      });
    });
    await world.clock.runUntilSettled(underlay.start(), 1000);
    const { requirements } = sample.bidRequest();
    const request = notary.sign(
      'bid-request',
      sample.bidRequest({
        answerShare: 1,
        requirements: {
          ...requirements,
          engine: { type: 'quantum' },
          constraints: { hard: [{ key: 'quantum.bits', operator: 'Gt', values: ['7qb'] }], soft: [] },
        },
      }),
    );
    await underlay.publish(
      names.requestsTopic,
      encodeFrame({ kind: 'bid-request', body: envelopeOf(request) }),
    );
    await world.clock.advanceBy(2000);
    expect(answers).toEqual(['ENGINE_UNAVAILABLE']);
    expect(world.nodeOf(here).counters()).toMatchObject({ 'gossip.request': 1 });
    expect(blame()).toEqual([]);
  });
});
