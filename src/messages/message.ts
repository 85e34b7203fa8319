import type { z } from 'zod';
import type { Evidence, EvidenceType } from '../domain/market/evidence.ts';
import { decodeCanonical, encodeCanonical } from '../lib/canonical.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { readEnvelope, type SignatureVerifier, type Signer, signedBytes } from './envelope.ts';
import { extFault, mostExtBytes } from './extension.ts';
import { type Read, refuse } from './rejection.ts';
import { refuseValue } from './unknown-value.ts';
import { MESSAGE_VERSIONS } from './versions.ts';

/** Envelopes that come by way of others and were signed further than this from the local clock are refused. */
export const ISSUED_AT_TOLERANCE_MS = 5 * 60 * 1000;

/**
 * How the payload of one type is laid out. `timed`: refused when `issuedAt` is far from the local clock, unless it comes
 * from its signer itself, who could as well sign anew: a clock that jumps breaks off nothing that is under way.
 * `stored`: carries `issuedAt` too, but is kept and shown for long. `bare`: the value alone, so that the content
 * id of the signed bytes is the content id of the value; its version and network stand in the signing domain.
 */
type PayloadForm = 'timed' | 'stored' | 'bare';

/** One signed message type. */
export interface SignedMessage<Value> {
  readonly type: EvidenceType;
  /** Of the keys that this node knows; others are passed over, and stay under the signature. */
  readonly schema: z.ZodType<Value>;
  /** Without the room for an `ext`. */
  readonly maxPayloadBytes: number;
}

/** What the payload of a message may have at most, its `ext` included. */
export function mostPayloadBytes({ type, maxPayloadBytes }: SignedMessage<unknown>): number {
  return maxPayloadBytes + mostExtBytes(type);
}

const PAYLOAD_FORMS: Readonly<Record<EvidenceType, PayloadForm>> = {
  'bid-request': 'timed',
  'search-closed': 'timed',
  advert: 'timed',
  bid: 'timed',
  decline: 'timed',
  'job-request': 'timed',
  'contract-terms': 'bare',
  'contract-never': 'stored',
  'serving-list': 'timed',
  'serving-answer': 'timed',
};

export interface SealContext {
  readonly network: string;
  readonly clock: Clock;
  readonly signer: Signer;
}

export interface OpenContext {
  readonly network: string;
  readonly clock: Clock;
  readonly signatures: SignatureVerifier;
}

/** Reads and checks evidence that came from elsewhere. */
export interface Verifier {
  /**
   * `signer`: who it must be by, and whose own connection it came over. Evidence by anybody else is refused before its
   * signature is looked at.
   */
  open<Value>(message: SignedMessage<Value>, envelope: unknown, signer?: string): Read<Evidence<Value>>;
  /** True when `signature` is `signer`'s over the very bytes of `evidence`. */
  isCountersignature(evidence: Evidence<unknown>, signer: string, signature: Uint8Array): boolean;
}

function payloadOf(type: EvidenceType, value: unknown, context: SealContext): Uint8Array {
  const fault = extFault(type, value);
  if (fault !== undefined) throw new CodedError('EXT_INVALID', `A ${type} cannot be sent: ${fault}.`);
  if (PAYLOAD_FORMS[type] === 'bare') return encodeCanonical(value);
  return encodeCanonical({
    v: MESSAGE_VERSIONS[type],
    network: context.network,
    issuedAt: context.clock.nowMs(),
    value,
  });
}

/** Signs a value of this node. Throws `EXT_INVALID` where it has an `ext` that others would refuse. */
export function seal<Value>(type: EvidenceType, value: Value, context: SealContext): Evidence<Value> {
  const payload = payloadOf(type, value, context);
  const signature = context.signer.sign(signedBytes(context.network, type, payload));
  return { type, value, payload, signature, signer: context.signer.self };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For the log. What is neither text nor a number is not made text: that can be a call of what the payload says. */
function named(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : `of type ${typeof value}`;
}

/** The value inside a payload, after the checks that need neither schema nor signature. */
function unwrap(
  type: EvidenceType,
  payload: Uint8Array,
  context: OpenContext,
  mustBeFresh: boolean,
): Read<unknown> {
  let decoded: unknown;
  try {
    decoded = decodeCanonical(payload);
  } catch {
    return refuse('MALFORMED', 'payload is not canonical');
  }
  const form = PAYLOAD_FORMS[type];
  if (form === 'bare') return { ok: true, value: decoded };
  if (!isRecord(decoded)) return refuse('MALFORMED', 'payload is not a map');
  const { v, network, issuedAt, value } = decoded;
  if (v !== MESSAGE_VERSIONS[type]) return refuse('UNKNOWN_VERSION', `version ${named(v)}`);
  if (network !== context.network) return refuse('WRONG_NETWORK', `network ${named(network)}`);
  if (typeof issuedAt !== 'number' || !Number.isSafeInteger(issuedAt) || issuedAt < 0) {
    return refuse('MALFORMED', 'issuedAt is not a time');
  }
  const driftMs = issuedAt - context.clock.nowMs();
  if (form === 'timed' && mustBeFresh && Math.abs(driftMs) > ISSUED_AT_TOLERANCE_MS) {
    return refuse('EXPIRED', `issued ${driftMs} ms from now`);
  }
  return { ok: true, value };
}

/** Checks an envelope, cheapest checks first, and gives the evidence that it is. Never throws on bad input. */
export function open<Value>(
  message: SignedMessage<Value>,
  envelope: unknown,
  context: OpenContext,
  expectedSigner?: string,
): Read<Evidence<Value>> {
  const shape = readEnvelope(envelope);
  if (shape === undefined) return refuse('MALFORMED', 'not an envelope');
  const { payload, signature, signer } = shape;
  if (payload.length > mostPayloadBytes(message)) return refuse('OVERSIZED', `${payload.length} bytes`);
  if (expectedSigner !== undefined && signer !== expectedSigner) {
    return refuse('WRONG_SIGNER', `signed by ${signer}`);
  }
  const inner = unwrap(message.type, payload, context, expectedSigner === undefined);
  if (!inner.ok) return inner;
  const fault = extFault(message.type, inner.value);
  if (fault !== undefined) return refuse('MALFORMED', fault);
  const parsed = message.schema.safeParse(inner.value);
  if (!parsed.success) {
    return refuseValue(inner.value, parsed.error);
  }
  if (!context.signatures.verify(signer, signedBytes(context.network, message.type, payload), signature)) {
    return refuse('BAD_SIGNATURE', `${message.type} by ${signer}`);
  }
  return { ok: true, value: { type: message.type, value: parsed.data, payload, signature, signer } };
}
