import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id';
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record';
import type { Multiaddr } from '@multiformats/multiaddr';
import { sameBytes } from '../../lib/canonical.ts';
import { messageOf } from '../../lib/coded-error.ts';

const MAX_RECORD_ADDRESSES = 8;
const MAX_RECORD_BYTES = 2048;

/** A peer's own word on where it is found, or why the bytes are not that. */
export type CheckedPeerRecord =
  | { readonly ok: true; readonly peer: string; readonly addresses: readonly Multiaddr[] }
  | { readonly ok: false; readonly code: 'PEER_RECORD_INVALID'; readonly message: string };

/** libp2p's signed envelope around the first addresses. A higher sequence replaces a lower one. */
export async function sealPeerRecord(
  privateKey: Ed25519PrivateKey,
  addresses: readonly Multiaddr[],
  sequence: number,
): Promise<Uint8Array> {
  const envelope = await RecordEnvelope.seal(
    new PeerRecord({
      peerId: peerIdFromPrivateKey(privateKey),
      multiaddrs: addresses.slice(0, MAX_RECORD_ADDRESSES),
      seqNumber: BigInt(Math.trunc(sequence)),
    }),
    privateKey,
  );
  return envelope.marshal();
}

/** Checks size, key, signature and that the signer is the peer the record is about. */
export async function checkPeerRecord(bytes: Uint8Array): Promise<CheckedPeerRecord> {
  const refuse = (message: string): CheckedPeerRecord => ({
    ok: false,
    code: 'PEER_RECORD_INVALID',
    message,
  });
  if (bytes.byteLength > MAX_RECORD_BYTES)
    return refuse(`The record is larger than ${MAX_RECORD_BYTES} bytes.`);
  try {
    const envelope = RecordEnvelope.createFromProtobuf(bytes);
    // One record has one form of bytes, so that nobody can pass copies off as different ones.
    if (!sameBytes(envelope.marshal(), bytes)) return refuse('The envelope is not in its canonical form.');
    if (envelope.publicKey.type !== 'Ed25519') return refuse('The record is not signed with an Ed25519 key.');
    if (!sameBytes(envelope.payloadType, PeerRecord.CODEC))
      return refuse('The envelope holds no peer record.');
    if (!(await envelope.validate(PeerRecord.DOMAIN)))
      return refuse('The signature of the record does not match.');
    const record = PeerRecord.createFromProtobuf(envelope.payload);
    if (!record.peerId.equals(peerIdFromPublicKey(envelope.publicKey))) {
      return refuse('The record was signed by another peer.');
    }
    if (record.multiaddrs.length > MAX_RECORD_ADDRESSES) {
      return refuse(`The record has more than ${MAX_RECORD_ADDRESSES} addresses.`);
    }
    return { ok: true, peer: record.peerId.toString(), addresses: record.multiaddrs };
  } catch (error) {
    return refuse(`The record cannot be read: ${messageOf(error)}`);
  }
}
