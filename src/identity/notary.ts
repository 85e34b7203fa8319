import type { Notary } from '../domain/market/evidence.ts';
import type { Clock } from '../lib/clock.ts';
import { signedBytes } from '../messages/envelope.ts';
import { open, type OpenContext, seal, type Verifier } from '../messages/message.ts';
import type { Identity } from './key-pair.ts';
import { createSignatureVerifier, createSigner } from './signatures.ts';

/** Signs with `identity` for one network; `issuedAt` is the clock's wall time. */
export function createNotary(identity: Identity, network: string, clock: Clock): Notary {
  const signer = createSigner(identity);
  return {
    self: identity.peerId,
    sign: (type, value) => seal(type, value, { network, clock, signer }),
    countersign: (evidence) => signer.sign(signedBytes(network, evidence.type, evidence.payload)),
  };
}

export function createVerifier(network: string, clock: Clock): Verifier {
  const context: OpenContext = { network, clock, signatures: createSignatureVerifier() };
  return {
    open: (message, envelope, signer) => open(message, envelope, context, signer),
    isCountersignature: (evidence, signer, signature) =>
      context.signatures.verify(signer, signedBytes(network, evidence.type, evidence.payload), signature),
  };
}
