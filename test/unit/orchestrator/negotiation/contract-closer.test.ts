import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContractRecord, SignedContract } from '../../../../src/domain/market/contract.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { declineOf, evidence, jobOf, observedAs } from '../../fakes/market.ts';
import { ACCEPT_WITHIN_MS, ClosingDesk, MARGIN_MS } from './closing-desk.ts';

let desk: ClosingDesk;
let contract: ContractRecord;

beforeEach(async () => {
  desk = await ClosingDesk.open();
  contract = desk.proposal();
  await desk.store(observedAs.locked(), contract);
});

afterEach(() => desk.stop());

const signed = (): SignedContract => ({
  contractId: contract.contractId,
  terms: contract.terms,
  providerSignature: Uint8Array.of(9),
});

const never = () => ({
  kind: 'never' as const,
  never: evidence('contract-never', { contractId: contract.contractId, reason: 'not here' }, 'a'),
});

async function propose(negotiation = desk.negotiation): Promise<void> {
  desk.closer.propose(jobOf(), await desk.execution(), contract, negotiation);
  await desk.clock.advanceBy(50);
}

const lost = (): Promise<never> => Promise.reject(new CodedError('NEGOTIATION_LOST', 'broken'));

describe('a proposal', () => {
  it('that is accepted binds: contract and execution in one batch', async () => {
    desk.negotiation.answer = async () => signed();
    await propose();
    expect(desk.negotiation.proposals).toMatchObject([
      { terms: contract.terms, invocation: { partition: 0 } },
    ]);
    expect(await desk.execution()).toMatchObject({
      desired: 'Running',
      observed: { state: 'BidAccepted', contractId: contract.contractId },
    });
    expect(await desk.contract(contract.contractId)).toMatchObject({
      state: 'ACCEPTED',
      providerSignature: Uint8Array.of(9),
    });
    expect(await desk.events()).toEqual(['contract.accepted']);
    expect(desk.evaluated).toEqual(['exec-update']);
  });

  it('that is declined frees the partition, with the reason', async () => {
    desk.negotiation.answer = async () => declineOf('a', { code: 'NOT_VERIFIED', message: 'who?' });
    await propose();
    expect(await desk.execution()).toMatchObject({
      desired: 'Stopped',
      observed: {
        state: 'BidRejected',
        end: {
          why: {
            code: 'no-contract',
            data: { why: { code: 'declined', data: { decline: 'NOT_VERIFIED', text: 'who?' } } },
          },
        },
      },
    });
    expect(await desk.contract(contract.contractId)).toMatchObject({
      state: 'DECLINED',
      why: { code: 'declined' },
    });
    expect(await desk.events()).toEqual(['contract.declined NOT_VERIFIED']);
  });

  it('that is declined for good says so of the execution', async () => {
    desk.negotiation.answer = async () =>
      declineOf('a', { stage: 'contract', code: 'INVALID', message: 'no', retryable: false });
    await propose();
    expect(await desk.execution()).toMatchObject({
      observed: {
        state: 'BidRejected',
        end: {
          why: {
            code: 'no-contract',
            data: { why: { code: 'declined', data: { decline: 'INVALID', text: 'no' } } },
          },
          forGood: true,
        },
      },
    });
    expect(await desk.newestEvent()).toMatchObject({
      type: 'contract.declined',
      data: { contractId: contract.contractId, stage: 'contract', retryable: false },
    });
  });

  it('is not sent to a provider that is not verified', async () => {
    desk.checked = async () => ({ ok: false, reason: 'revoked' });
    await propose();
    expect(desk.negotiation.proposals).toEqual([]);
    expect(desk.negotiation.open).toBe(false);
    expect(await desk.contract(contract.contractId)).toMatchObject({
      state: 'DECLINED',
      why: { code: 'provider-not-let-in', data: { text: 'revoked' } },
    });
  });

  it('is not sent when the check itself fails', async () => {
    desk.checked = () => Promise.reject(new Error('no authority'));
    await propose();
    expect(desk.negotiation.proposals).toEqual([]);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidRejected' } });
  });

  it('that was never sent need not be asked for', async () => {
    desk.negotiation.close();
    await propose();
    expect(desk.market.askedFor).toEqual([]);
    expect(await desk.events()).toEqual(['contract.declined NEGOTIATION_LOST']);
  });

  it('without an answer is asked for by its id: accepted', async () => {
    desk.negotiation.answer = lost;
    desk.market.contract = async () => ({ kind: 'accepted', contract: signed() });
    await propose();
    expect(desk.market.askedFor).toEqual([contract.contractId]);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidAccepted' } });
  });

  it('without an answer is asked for by its id: never', async () => {
    desk.negotiation.answer = lost;
    desk.market.contract = async () => never();
    await propose();
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidRejected' } });
    expect(await desk.contract(contract.contractId)).toMatchObject({
      state: 'DECLINED',
      why: { code: 'contract-never', data: { text: 'not here' } },
    });
  });

  it('is asked for again until there is an answer', async () => {
    desk.negotiation.answer = lost;
    await propose();
    await desk.clock.advanceBy(3000);
    expect(desk.market.askedFor.length).toBeGreaterThan(3);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidAccepted' } });
    desk.market.contract = async () => ({ kind: 'accepted', contract: signed() });
    await desk.clock.advanceBy(2000);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidAccepted' } });
  });

  it('that nobody answers for frees the partition after its time and a margin, and stays proposed', async () => {
    desk.negotiation.answer = lost;
    await propose();
    await desk.clock.advanceBy(ACCEPT_WITHIN_MS + MARGIN_MS - 200);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidAccepted' } });
    await desk.clock.advanceBy(400);
    expect(await desk.execution()).toMatchObject({ desired: 'Stopped', observed: { state: 'BidRejected' } });
    expect(await desk.contract(contract.contractId)).toMatchObject({ state: 'PROPOSED' });
    expect(await desk.events()).toEqual(['contract.declined NEGOTIATION_TIMEOUT']);
  });

  it('whose question is never answered does not wait for ever', async () => {
    desk.negotiation.answer = lost;
    desk.market.contract = () => new Promise(() => {});
    await propose();
    await desk.clock.advanceBy(ACCEPT_WITHIN_MS + 2 * MARGIN_MS);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidRejected' } });
  });

  it('that is accepted after its execution was ended is written down and ended as well', async () => {
    const answered = Promise.withResolvers<SignedContract>();
    desk.negotiation.answer = () => answered.promise;
    await propose();
    await desk.end(observedAs.cancelled(contract.contractId));
    answered.resolve(signed());
    await desk.clock.advanceBy(50);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'Cancelled' } });
    expect(await desk.contract(contract.contractId)).toMatchObject({ state: 'TERMINATED' });
    expect(await desk.events()).toEqual(['contract.accepted', 'contract.terminated']);
  });
});

describe('a proposal from before a restart', () => {
  it('is asked for once also when its time is over', async () => {
    await desk.clock.advanceBy(60_000);
    desk.market.contract = async () => ({ kind: 'accepted', contract: signed() });
    const resolving = desk.closer.resolve(await desk.execution(), contract);
    await desk.clock.runUntilSettled(resolving, 1000);
    expect(desk.market.askedFor).toHaveLength(1);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidAccepted' } });
  });

  it('is never sent again, whatever the check says', async () => {
    desk.checked = async () => ({ ok: false, reason: 'revoked' });
    desk.market.contract = async () => ({ kind: 'accepted', contract: signed() });
    await desk.clock.runUntilSettled(desk.closer.resolve(await desk.execution(), contract), 1000);
    expect(desk.negotiation.proposals).toEqual([]);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidAccepted' } });
  });

  it('is asked for by one at a time; who comes later waits for that', async () => {
    const answered = Promise.withResolvers<SignedContract>();
    desk.negotiation.answer = () => answered.promise;
    await propose();
    const resolving = desk.closer.resolve(await desk.execution(), contract);
    await desk.clock.advanceBy(500);
    expect(desk.market.askedFor).toEqual([]);
    answered.resolve(signed());
    await desk.clock.runUntilSettled(resolving, 1000);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidAccepted' } });
  });

  it('is let go when the node stops', async () => {
    const resolving = desk.closer.resolve(await desk.execution(), contract);
    desk.stopping.abort();
    await desk.clock.runUntilSettled(resolving, 1000);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidAccepted' } });
  });
});
