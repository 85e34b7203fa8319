import { describe, expect, it } from 'vitest';
import type { SignedMessage } from '../../../src/messages/message.ts';
import { createVerifier } from '../../../src/identity/notary.ts';
import { advertMessage } from '../../../src/messages/advert.ts';
import { bidMessage } from '../../../src/messages/bid.ts';
import { bidRequestMessage } from '../../../src/messages/bid-request.ts';
import { contractNeverMessage } from '../../../src/messages/contract-never.ts';
import { openContractAnswer } from '../../../src/messages/contract-query.ts';
import { contractTermsMessage } from '../../../src/messages/contract-terms.ts';
import { declineMessage } from '../../../src/messages/decline.ts';
import { decodeFrame, type Frame } from '../../../src/messages/frame.ts';
import { jobRequestMessage } from '../../../src/messages/job-request.ts';
import { openProposal } from '../../../src/messages/proposal.ts';
import { searchClosedMessage } from '../../../src/messages/search-closed.ts';
import { servingAnswerMessage, servingListMessage } from '../../../src/messages/serving.ts';
import recorded from '../../fixtures/recorded-0.1.0/messages.json' with { type: 'json' };

const messages: Readonly<Record<string, SignedMessage<unknown>>> = {
  'bid-request': bidRequestMessage,
  'search-closed': searchClosedMessage,
  advert: advertMessage,
  bid: bidMessage,
  decline: declineMessage,
  'job-request': jobRequestMessage,
  'contract-terms': contractTermsMessage,
  'contract-never': contractNeverMessage,
  'serving-list': servingListMessage,
  'serving-answer': servingAnswerMessage,
};

const clock = {
  nowMs: () => recorded.issuedAt,
  monotonicMs: () => 0,
  livedMs: () => recorded.issuedAt,
  after: () => ({ cancel: () => {} }),
};
const verifier = createVerifier(recorded.network, clock);

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function frame(base64: string): Frame {
  const read = decodeFrame(bytes(base64), 2 ** 20);
  if (!read.ok) throw new Error(read.rejection.detail);
  return read.value;
}

describe('messages of version 0.1.0', () => {
  it.each(recorded.messages.map((message, index) => [`${message.type} ${index}`, message] as const))(
    'are believed: %s',
    (_, { type, signer, payload, signature }) => {
      const message = messages[type];
      if (message === undefined) throw new Error(`no message is called ${type}`);
      const envelope = { payload: bytes(payload), signature: bytes(signature), signer };
      expect(verifier.open(message, envelope, recorded.alice)).toMatchObject({ ok: true });
    },
  );

  it('are all there', () => {
    expect(new Set(recorded.messages.map(({ type }) => type))).toEqual(new Set(Object.keys(messages)));
  });

  it('close a contract', () => {
    const { alice, bob, contractId, frames } = recorded;
    expect(openProposal(verifier, frame(frames.proposal).body, alice, bob)).toMatchObject({ ok: true });
    for (const [text, kind] of [
      [frames.accepted, 'accepted'],
      [frames.never, 'never'],
    ] as const) {
      expect(openContractAnswer(verifier, frame(text), contractId, bob)).toMatchObject({
        ok: true,
        value: { kind },
      });
    }
  });
});
