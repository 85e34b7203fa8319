import { base58btc } from 'multiformats/bases/base58';
import { CodedError } from '../lib/coded-error.ts';

/** The multihash `identity` of a libp2p public key message: {type: Ed25519, data: 32 bytes}. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
/** The multicodec `ed25519-pub` as a varint. */
const DID_KEY_PREFIX = Uint8Array.of(0xed, 0x01);
const PUBLIC_KEY_BYTES = 32;

function joined(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  if (key.length !== PUBLIC_KEY_BYTES) {
    throw new CodedError('KEY_INVALID', 'An Ed25519 public key has 32 bytes.', {
      data: { length: key.length },
    });
  }
  const bytes = new Uint8Array(prefix.length + key.length);
  bytes.set(prefix);
  bytes.set(key, prefix.length);
  return bytes;
}

/** The libp2p peer id of an Ed25519 public key: `12D3KooW…`. */
export function peerIdOf(publicKey: Uint8Array): string {
  return base58btc.baseEncode(joined(PEER_ID_PREFIX, publicKey));
}

export function didKeyOf(publicKey: Uint8Array): string {
  return `did:key:${base58btc.encode(joined(DID_KEY_PREFIX, publicKey))}`;
}

/** The public key inside a peer id; `undefined` when it is not an Ed25519 peer id in its one text form. */
export function publicKeyOf(peerId: string): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = base58btc.baseDecode(peerId);
  } catch {
    return undefined;
  }
  if (bytes.length !== PEER_ID_PREFIX.length + PUBLIC_KEY_BYTES) return undefined;
  if (!PEER_ID_PREFIX.every((byte, index) => bytes[index] === byte)) return undefined;
  return bytes.slice(PEER_ID_PREFIX.length);
}
