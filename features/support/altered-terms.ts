import { createPrivateKey, sign } from 'node:crypto';
import type { Identity } from '../../src/identity/index.ts';
import { decodeCanonical, encodeCanonical } from '../../src/lib/canonical.ts';
import { domainOf } from './signature-check.ts';

type Terms = Readonly<Record<string, unknown>>;
type Sign = (payload: Uint8Array) => Uint8Array;

/** DER of an Ed25519 private key without its 32 bytes of seed. */
const PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function record(value: unknown): Terms {
  if (typeof value !== 'object' || value === null) throw new Error('not a map');
  return value as Terms;
}

/** Signs terms, or what else is said, with a node's own key, as a dishonest node could. */
export function signAs(identity: Identity, network: string, type = 'contract-terms'): Sign {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER_PREFIX, identity.privateKeyRaw.subarray(0, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
  return (payload) => new Uint8Array(sign(null, Buffer.concat([domainOf(network, type), payload]), key));
}

/** Changes the terms inside proposals and lets every other frame through; without `signed` the old signature stays. */
export function alterTerms(
  change: (terms: Terms) => Terms,
  signed?: Sign,
): (frame: Uint8Array) => Uint8Array {
  return (frame) => {
    const { kind, body } = record(decodeCanonical(frame));
    if (kind !== 'proposal') return frame;
    const proposal = record(body);
    const envelope = record(proposal['terms']);
    const { payload: before } = envelope;
    if (!(before instanceof Uint8Array)) throw new Error('an envelope holds bytes');
    const payload = new Uint8Array(encodeCanonical(change(record(decodeCanonical(before)))));
    const signature = signed === undefined ? envelope['signature'] : signed(payload);
    return encodeCanonical({
      kind,
      body: { ...proposal, terms: { ...envelope, payload, signature } },
    });
  };
}

/** Changes the bids that a node makes, signed again by `signed`, and lets every other frame through. */
export function alterBids(change: (bid: Terms) => Terms, signed: Sign): (frame: Uint8Array) => Uint8Array {
  return (frame) => {
    const { kind, body } = record(decodeCanonical(frame));
    if (kind !== 'bid') return frame;
    const envelope = record(body);
    const { payload: before } = envelope;
    if (!(before instanceof Uint8Array)) throw new Error('an envelope holds bytes');
    const message = record(decodeCanonical(before));
    const value = change(record(message['value']));
    const payload = new Uint8Array(encodeCanonical({ ...message, value }));
    return encodeCanonical({ kind, body: { ...envelope, payload, signature: signed(payload) } });
  };
}
