import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../../src/identity/notary.ts';
import { openContractAnswer } from '../../../src/messages/contract-query.ts';
import { decodeFrame, type Frame } from '../../../src/messages/frame.ts';
import type { Verifier } from '../../../src/messages/message.ts';
import { openProposal } from '../../../src/messages/proposal.ts';
import { everyMessage } from '../messages/every-message.ts';
import earlier from '../../fixtures/recorded-0.1.0/messages.json' with { type: 'json' };
import recorded from '../../fixtures/recorded-wire-2/messages.json' with { type: 'json' };

type Recorded = typeof recorded;

const messages = new Map(everyMessage('', '').map(([message]) => [message.type as string, message]));

function verifierOf({ network, issuedAt }: Recorded): Verifier {
  return createVerifier(network, {
    nowMs: () => issuedAt,
    monotonicMs: () => 0,
    livedMs: () => issuedAt,
    after: () => ({ cancel: () => {} }),
  });
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function frame(base64: string): Frame {
  const read = decodeFrame(bytes(base64), 2 ** 20);
  if (!read.ok) throw new Error(read.rejection.detail);
  return read.value;
}

/** What becomes of each recorded message: `ok`, or why it is refused. */
function outcomes(all: Recorded): readonly (readonly [type: string, outcome: string])[] {
  const verifier = verifierOf(all);
  return all.messages.map(({ type, signer, payload, signature }) => {
    const message = messages.get(type);
    if (message === undefined) throw new Error(`no message is called ${type}`);
    const envelope = { payload: bytes(payload), signature: bytes(signature), signer };
    const read = verifier.open(message, envelope, all.alice);
    return [type, read.ok ? 'ok' : read.rejection.code];
  });
}

function contractOutcomes(all: Recorded): readonly boolean[] {
  const { alice, bob, contractId, frames } = all;
  const verifier = verifierOf(all);
  const answers = [frames.accepted, frames.never].map((text) =>
    openContractAnswer(verifier, frame(text), contractId, bob),
  );
  return [openProposal(verifier, frame(frames.proposal).body, alice, bob), ...answers].map(({ ok }) => ok);
}

describe('recorded messages', () => {
  it('are believed', () => {
    expect(outcomes(recorded).filter(([, outcome]) => outcome !== 'ok')).toEqual([]);
  });

  it('are all there', () => {
    expect(new Set(recorded.messages.map(({ type }) => type))).toEqual(new Set(messages.keys()));
  });

  it('close a contract', () => {
    expect(contractOutcomes(recorded)).toEqual([true, true, true]);
  });
});

describe('messages of version 0.1.0', () => {
  it('are refused by their version, but for what is kept for long', () => {
    const kept = new Set(['contract-terms', 'contract-never']);
    const expected = earlier.messages.map(({ type }) => [type, kept.has(type) ? 'ok' : 'UNKNOWN_VERSION']);
    expect(outcomes(earlier)).toEqual(expected);
  });

  it('have contracts that hold', () => {
    const { bob, contractId, frames } = earlier;
    const read = openContractAnswer(verifierOf(earlier), frame(frames.accepted), contractId, bob);
    expect(read).toMatchObject({ ok: true, value: { kind: 'accepted' } });
  });
});
