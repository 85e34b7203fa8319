import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { EvidenceType, Notary } from '../../../src/domain/market/evidence.ts';
import { createNotary, createVerifier } from '../../../src/identity/notary.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { contentIdOf, encodeCanonical } from '../../../src/lib/canonical.ts';
import { bidRequestMessage } from '../../../src/messages/bid-request.ts';
import { contractNeverMessage } from '../../../src/messages/contract-never.ts';
import { contractAnswerFrame, openContractAnswer } from '../../../src/messages/contract-query.ts';
import { contractIdOf, openTerms } from '../../../src/messages/contract-terms.ts';
import { decodeDataFrame, encodeDataFrame } from '../../../src/messages/data-frame.ts';
import { type Envelope, envelopeOf } from '../../../src/messages/envelope.ts';
import { decodeFrame, encodeFrame } from '../../../src/messages/frame.ts';
import { ISSUED_AT_TOLERANCE_MS } from '../../../src/messages/message.ts';
import { openProposal, proposalToWire } from '../../../src/messages/proposal.ts';
import type { Read } from '../../../src/messages/rejection.ts';
import { searchClosedMessage } from '../../../src/messages/search-closed.ts';
import { openSignedContract, signedContractToWire } from '../../../src/messages/signed-contract.ts';
import { MESSAGE_VERSIONS } from '../../../src/messages/versions.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { everyMessage } from './every-message.ts';
import { verifySignedContract } from './contract-check.ts';
import * as sample from './samples.ts';

const clock = new FakeClock();
const alice = createNotary(identityOf(new Uint8Array(32).fill(1)), 'testnet', clock);
const bob = createNotary(identityOf(new Uint8Array(32).fill(2)), 'testnet', clock);
const mallory = createNotary(identityOf(new Uint8Array(32).fill(3)), 'testnet', clock);
const verifier = createVerifier('testnet', clock);

function codeOf(read: Read<unknown>): string {
  return read.ok ? 'ok' : read.rejection.code;
}

/** Signs any payload, so that nothing but the property under test is wrong with it. */
function signed(type: EvidenceType, value: unknown, over: Record<string, unknown> = {}): Envelope {
  const header = { v: MESSAGE_VERSIONS[type], network: 'testnet', issuedAt: clock.nowMs(), value, ...over };
  const payload = encodeCanonical(header);
  const signature = alice.countersign({ type, value, payload, signature: new Uint8Array(64), signer: '' });
  return { payload, signature, signer: alice.self };
}

const bidRequest = sample.bidRequest();

const roundTrips = everyMessage(alice.self, bob.self);

describe('signed messages', () => {
  it.each(roundTrips.map(([message, value]) => [message.type, message, value] as const))(
    'come back as they were sent: %s',
    (type, message, value) => {
      const evidence = alice.sign(type, value);
      const frame = decodeFrame(encodeFrame({ kind: 'bid', body: envelopeOf(evidence) }), 2 ** 20);
      if (!frame.ok) throw new Error(frame.rejection.detail);
      expect(verifier.open(message, frame.value.body)).toEqual({ ok: true, value: evidence });
    },
  );

  it.each(roundTrips.map(([message, value]) => [message.type, message, value] as const))(
    'may have keys that are not known here, and are read without them: %s',
    (type, message, value) => {
      const evidence = alice.sign(type, Object.assign({}, value, { surprise: 1 }));
      expect(verifier.open(message, envelopeOf(evidence))).toEqual({
        ok: true,
        value: { ...evidence, value },
      });
    },
  );

  it('are refused under another type, network or key', () => {
    const notice = { requestId: 'request-1' };
    const elsewhere = createNotary(identityOf(new Uint8Array(32).fill(1)), 'othernet', clock);
    const asBid = signed('bid', notice);
    expect(codeOf(verifier.open(searchClosedMessage, asBid))).toBe('BAD_SIGNATURE');
    expect(
      codeOf(verifier.open(searchClosedMessage, envelopeOf(elsewhere.sign('search-closed', notice)))),
    ).toBe('WRONG_NETWORK');
    const otherDomain = elsewhere.countersign(alice.sign('search-closed', notice));
    const posed = { ...signed('search-closed', notice), signature: otherDomain };
    expect(codeOf(verifier.open(searchClosedMessage, posed))).toBe('BAD_SIGNATURE');
    const stolen = { ...signed('search-closed', notice), signer: bob.self };
    expect(codeOf(verifier.open(searchClosedMessage, stolen))).toBe('BAD_SIGNATURE');
    expect(codeOf(verifier.open(searchClosedMessage, signed('search-closed', notice), bob.self))).toBe(
      'WRONG_SIGNER',
    );
  });

  it('are refused when their time is more than five minutes off, unless they come from their signer', () => {
    const notice = { requestId: 'request-1' };
    const at = (offMs: number, connectedWith?: string): string =>
      codeOf(
        verifier.open(
          searchClosedMessage,
          signed('search-closed', notice, { issuedAt: clock.nowMs() + offMs }),
          connectedWith,
        ),
      );
    expect([-1, 1].map((sign) => at(sign * ISSUED_AT_TOLERANCE_MS))).toEqual(['ok', 'ok']);
    expect([-1, 1].map((sign) => at(sign * (ISSUED_AT_TOLERANCE_MS + 1)))).toEqual(['EXPIRED', 'EXPIRED']);
    expect([-1, 1].map((sign) => at(sign * 24 * 3_600_000, alice.self))).toEqual(['ok', 'ok']);
  });

  it('are believed for long where they are kept for long', () => {
    const never = { contractId: sample.SOME_CID, reason: 'declined' };
    const old = signed('contract-never', never, { issuedAt: 5 });
    expect(codeOf(verifier.open(contractNeverMessage, old))).toBe('ok');
    expect(codeOf(openTerms(verifier, envelopeOf(sample.proposal(alice, bob.self).terms)))).toBe('ok');
  });

  it('name their fault', () => {
    const notice = { requestId: 'request-1' };
    const open = (envelope: unknown): string => codeOf(verifier.open(searchClosedMessage, envelope));
    expect(open(signed('search-closed', notice))).toBe('ok');
    expect(open(signed('search-closed', notice, { v: 1 }))).toBe('UNKNOWN_VERSION');
    expect(open(signed('search-closed', notice, { v: 3 }))).toBe('UNKNOWN_VERSION');
    expect(open(signed('search-closed', notice, { more: 1 }))).toBe('ok');
    // Nobody can make text of such a value.
    const textless = { toString: 1, valueOf: 1 };
    expect(open(signed('search-closed', notice, { v: textless }))).toBe('UNKNOWN_VERSION');
    expect(open(signed('search-closed', notice, { v: [[textless]] }))).toBe('UNKNOWN_VERSION');
    expect(open(signed('search-closed', notice, { network: textless }))).toBe('WRONG_NETWORK');
    expect(open(signed('search-closed', notice, { issuedAt: 'now' }))).toBe('MALFORMED');
    expect(open(signed('search-closed', { requestId: 'x'.repeat(2000) }))).toBe('OVERSIZED');
    expect(open({ ...signed('search-closed', notice), more: 1 })).toBe('MALFORMED');
    expect(open({ ...signed('search-closed', notice), signature: new Uint8Array(63) })).toBe('MALFORMED');
    expect(open({ ...signed('search-closed', notice), signer: 'somebody' })).toBe('MALFORMED');
    expect(open({ ...signed('search-closed', notice), payload: 'text' })).toBe('MALFORMED');
    expect(open({ payload: new Uint8Array(), signature: new Uint8Array(64), signr: alice.self })).toBe(
      'MALFORMED',
    );
    expect([null, undefined, 'text', 1, []].map(open)).toEqual(Array.from({ length: 5 }, () => 'MALFORMED'));
    // {"v": 1} with its one key length written in two bytes instead of one.
    const loose = new Uint8Array([0xa1, 0x78, 0x01, 0x76, 0x01]);
    expect(open({ ...signed('search-closed', notice), payload: loose })).toBe('MALFORMED');
  });

  it.each([
    ['answerShare', 0],
    ['answerShare', 1.5],
    ['slots', 0],
    ['slots', 1.5],
    ['windowMs', -1],
    ['jobDigest', 'not-a-cid'],
    ['exclude', ['not-a-peer']],
    ['requesterRecord', new Uint8Array(5000)],
    ['budget', { amount: '-1', currency: 'USD', per: 'hour' }],
    ['budget', null],
  ])('refuse a bid request whose %s is %j', (key, value) => {
    const bad = Object.assign({}, bidRequest, { [key]: value });
    expect(codeOf(verifier.open(bidRequestMessage, envelopeOf(alice.sign('bid-request', bad))))).toBe(
      'MALFORMED',
    );
  });
});

describe('tampering', () => {
  const evidence = alice.sign('bid-request', bidRequest);
  const wire = encodeFrame({ kind: 'bid-request', body: envelopeOf(evidence) });

  const read = (bytes: Uint8Array): Read<unknown> => {
    const frame = decodeFrame(bytes, 64 * 1024);
    return frame.ok ? verifier.open(bidRequestMessage, frame.value.body) : frame;
  };

  test.prop([fc.nat(wire.length - 1), fc.integer({ min: 1, max: 255 })], { numRuns: 300 })(
    'with any one byte makes the message worthless',
    (position, flip) => {
      const changed = wire.map((byte, index) => (index === position ? byte ^ flip : byte));
      expect(read(changed).ok).toBe(false);
    },
  );

  test.prop([fc.uint8Array({ maxLength: 400 })], { numRuns: 300 })('or noise never throws', (bytes) => {
    expect(read(bytes).ok).toBe(false);
    expect(decodeDataFrame(bytes)).toBeDefined();
  });

  test.prop([fc.anything({ withTypedArray: true, withNullPrototype: true })], { numRuns: 300 })(
    'nor does any value in the place of an envelope, a proposal or a contract',
    (value) => {
      expect(verifier.open(bidRequestMessage, value).ok).toBe(false);
      expect(openProposal(verifier, value, alice.self, bob.self).ok).toBe(false);
      expect(openSignedContract(verifier, value).ok).toBe(false);
      expect(
        openProposal(verifier, { terms: value, invocation: sample.invocation }, alice.self, bob.self).ok,
      ).toBe(false);
    },
  );

  it.each([
    ['of no kind', { kind: 'A Kind', body: 1 }],
    ['of a kind without end', { kind: 'k'.repeat(65), body: 1 }],
    ['without a kind', { kinds: 'bid', body: 1 }],
    ['without a body', { kind: 'bid' }],
    ['with more in it', { kind: 'bid', body: 1, more: 1 }],
    ['that is a list', ['bid', 1]],
    ['that is nothing', null],
  ])('a frame %s is refused', (_, value) => {
    expect(codeOf(decodeFrame(encodeCanonical(value), 1024))).toBe('MALFORMED');
  });

  it('a frame of a kind that is not known is one of a later release', () => {
    expect(codeOf(decodeFrame(encodeCanonical({ kind: 'task-offer', body: 1 }), 1024))).toBe('UNKNOWN_KIND');
  });

  it('frames over their limit are refused unread', () => {
    expect(codeOf(decodeFrame(wire, wire.length))).toBe('ok');
    expect(codeOf(decodeFrame(wire, wire.length - 1))).toBe('OVERSIZED');
  });
});

describe('contracts', () => {
  const proposal = sample.proposal(alice, bob.self);
  const contract = sample.signedContract(proposal, bob);

  const proposed = (by: Notary, over: object = {}): unknown => ({
    terms: envelopeOf(by.sign('contract-terms', sample.terms(alice.self, bob.self))),
    invocation: sample.invocation,
    ...over,
  });

  it('have the content id of their terms, which is that of the signed bytes', () => {
    expect(contractIdOf(proposal.terms)).toBe(contentIdOf(encodeCanonical(proposal.terms.value)));
  });

  it('come back as they were sent', () => {
    expect(openProposal(verifier, proposalToWire(proposal), alice.self, bob.self)).toEqual({
      ok: true,
      value: proposal,
    });
    expect(openSignedContract(verifier, signedContractToWire(contract))).toEqual({
      ok: true,
      value: contract,
    });
    expect(verifySignedContract(verifier, contract)).toBe(true);
  });

  it('are proposed by their requester, to this provider, with the invocation they name', () => {
    const open = (body: unknown, peer = alice.self, self = bob.self): string =>
      codeOf(openProposal(verifier, body, peer, self));
    expect(open(proposed(alice))).toBe('ok');
    expect(open(proposed(mallory), mallory.self)).toBe('WRONG_SIGNER');
    expect(open(proposed(alice), mallory.self)).toBe('WRONG_SIGNER');
    expect(open(proposed(alice), alice.self, mallory.self)).toBe('MALFORMED');
    expect(open(proposed(alice, { invocation: { ...sample.invocation, partition: 1 } }))).toBe('MALFORMED');
    // What is run is understood to its last key, or not at all; that is nobody's fault.
    expect(open(proposed(alice, { invocation: { ...sample.invocation, later: 1 } }))).toBe('UNKNOWN_VALUE');
    const engine = { ...sample.invocation.engine, type: 'quantum' };
    expect(open(proposed(alice, { invocation: { ...sample.invocation, engine } }))).toBe('UNKNOWN_VALUE');
    expect(open(proposed(alice, { invocation: { ...sample.invocation, partition: 'one' } }))).toBe(
      'MALFORMED',
    );
  });

  it('do not hold with a signature, an id or terms that are not both parties’ own', () => {
    const other = sample.proposal(alice, bob.self, { attempt: 1 });
    expect(
      verifySignedContract(verifier, { ...contract, providerSignature: mallory.countersign(proposal.terms) }),
    ).toBe(false);
    expect(
      verifySignedContract(verifier, { ...contract, providerSignature: bob.countersign(other.terms) }),
    ).toBe(false);
    expect(verifySignedContract(verifier, { ...contract, contractId: contractIdOf(other.terms) })).toBe(
      false,
    );
    expect(verifySignedContract(verifier, { ...contract, terms: other.terms })).toBe(false);
    const selfMade = sample.signedContract(
      sample.proposal(mallory, bob.self, { requester: alice.self }),
      bob,
    );
    expect(verifySignedContract(verifier, selfMade)).toBe(false);
  });

  it('are answered for by their provider alone', () => {
    const never = { contractId: contract.contractId, reason: 'lock expired' };
    const ask = (frame: ReturnType<typeof contractAnswerFrame>, id = contract.contractId): string =>
      codeOf(openContractAnswer(verifier, frame, id, bob.self));
    const neverBy = (notary: Notary): ReturnType<typeof contractAnswerFrame> =>
      contractAnswerFrame({ kind: 'never', never: notary.sign('contract-never', never) });
    expect(ask(contractAnswerFrame({ kind: 'accepted', contract }))).toBe('ok');
    expect(ask(neverBy(bob))).toBe('ok');
    expect(ask(neverBy(mallory))).toBe('WRONG_SIGNER');
    expect(ask(neverBy(bob), sample.SOME_CID)).toBe('MALFORMED');
    expect(ask(contractAnswerFrame({ kind: 'accepted', contract }), sample.SOME_CID)).toBe('MALFORMED');
    const malloryContract = sample.signedContract(sample.proposal(alice, mallory.self), mallory);
    expect(
      ask(contractAnswerFrame({ kind: 'accepted', contract: malloryContract }), malloryContract.contractId),
    ).toBe('WRONG_SIGNER');
    expect(ask({ kind: 'refused', body: null })).toBe('MALFORMED');
  });
});

describe('data frames', () => {
  test.prop([fc.uint8Array({ maxLength: 100 })])('bring bytes back, the empty ones too', (bytes) => {
    expect(decodeDataFrame(encodeDataFrame({ kind: 'data', bytes }))).toEqual({
      ok: true,
      value: { kind: 'data', bytes },
    });
  });

  it('tell an end and a failure apart from everything else', () => {
    for (const frame of [{ kind: 'end' }, { kind: 'failed', code: 'CONTENT_DENIED' }] as const) {
      expect(decodeDataFrame(encodeDataFrame(frame))).toEqual({ ok: true, value: frame });
    }
    expect(decodeDataFrame(new Uint8Array([0, 1])).ok).toBe(false);
    expect(decodeDataFrame(new Uint8Array()).ok).toBe(false);
    expect(decodeDataFrame(new Uint8Array([2, 0x61])).ok).toBe(false);
  });
});
