import { createHash, createPublicKey, verify } from 'node:crypto';
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';

/** DER of an Ed25519 public key without its 32 bytes. */
const PUBLIC_DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
/** CIDv1, dag-cbor, sha2-256 with 32 bytes. */
const DAG_CBOR_CID_PREFIX = [0x01, 0x71, 0x12, 0x20];
/** The same for a file of one block. */
const RAW_CID_PREFIX = [0x01, 0x55, 0x12, 0x20];

/** Those of the types that are looked at here. */
const VERSIONS: Readonly<Record<string, number>> = { 'contract-terms': 1, bid: 2 };

/** What is signed in front of the payload: written out here once more, because other implementations rely on it. */
export function domainOf(network: string, type: string): Uint8Array {
  return new TextEncoder().encode(`bidmesh/${network}/${type}/v${VERSIONS[type] ?? 0}`);
}

/** Checks a signature with nothing but the signer's peer id, in which its key stands. */
export function isSignedBy(
  peerId: string,
  domain: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  const publicKey = base58btc.baseDecode(peerId).slice(-KEY_BYTES);
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_DER_PREFIX, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, Buffer.concat([domain, payload]), key, signature);
}

export function termsCid(payload: Uint8Array): string {
  return cid(DAG_CBOR_CID_PREFIX, payload);
}

/** Of a file that is small enough to be one block. */
export function fileCid(bytes: Uint8Array): string {
  return cid(RAW_CID_PREFIX, bytes);
}

function cid(prefix: readonly number[], bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest();
  return base32.encode(Uint8Array.from([...prefix, ...digest]));
}
