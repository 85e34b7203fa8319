import { z } from 'zod';
import type { Evidence, EvidenceType } from '../domain/market/evidence.ts';
import { PEER_ID } from '../domain/units/peer-id.ts';
import { SIGNATURE_BYTES } from './field-schemas.ts';
import { MESSAGE_VERSIONS } from './versions.ts';

/** How evidence travels: the bytes that were signed, the signature over them, and the signer's peer id. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly signer: string;
}

const ENVELOPE_KEYS = 3;

/**
 * An envelope, or undefined when the value is none. By hand, because every signed message comes through here. Nobody may
 * add to it: no signature would cover what was added.
 */
export function readEnvelope(value: unknown): Envelope | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('payload' in value && 'signature' in value && 'signer' in value)) return undefined;
  const { payload, signature, signer } = value;
  const isWhole =
    Object.keys(value).length === ENVELOPE_KEYS &&
    payload instanceof Uint8Array &&
    signature instanceof Uint8Array &&
    signature.length === SIGNATURE_BYTES &&
    typeof signer === 'string' &&
    PEER_ID.test(signer);
  return isWhole ? { payload, signature, signer } : undefined;
}

/** Signs bytes with this node's key. */
export interface Signer {
  readonly self: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** Checks signatures by peer id. A peer id that holds no usable key is a signature that does not hold. */
export interface SignatureVerifier {
  verify(signer: string, bytes: Uint8Array, signature: Uint8Array): boolean;
}

const NETWORK_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** A network's name: without a slash, so that no name can reach into the rest of an id or a signing domain. */
export const networkName = z
  .string()
  .regex(NETWORK_NAME, 'expected letters, digits, ".", "_" and "-", at most 63');

const encoder = new TextEncoder();
/** A node knows one network; simulations and tests a few. */
const MOST_NETWORKS = 16;
const domains = new Map<string, Map<EvidenceType, Uint8Array>>();

function domainOf(network: string, type: EvidenceType): Uint8Array {
  const known = domains.get(network)?.get(type);
  if (known !== undefined) return known;
  const domain = encoder.encode(`bidmesh/${network}/${type}/v${MESSAGE_VERSIONS[type]}`);
  if (domains.size >= MOST_NETWORKS) domains.clear();
  domains.set(network, (domains.get(network) ?? new Map<EvidenceType, Uint8Array>()).set(type, domain));
  return domain;
}

/** What a signature covers: the domain, which names network, type and version, and then the payload. */
export function signedBytes(network: string, type: EvidenceType, payload: Uint8Array): Uint8Array {
  const domain = domainOf(network, type);
  const bytes = new Uint8Array(domain.length + payload.length);
  bytes.set(domain);
  bytes.set(payload, domain.length);
  return bytes;
}

/** Who an envelope says has signed it. Nothing is checked: anybody can write any name there. */
export function claimedSigner(envelope: unknown): string | undefined {
  if (typeof envelope !== 'object' || envelope === null || !('signer' in envelope)) return undefined;
  return typeof envelope.signer === 'string' ? envelope.signer : undefined;
}

export function envelopeOf(evidence: Evidence<unknown>): Envelope {
  return { payload: evidence.payload, signature: evidence.signature, signer: evidence.signer };
}
