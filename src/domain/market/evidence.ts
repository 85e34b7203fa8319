/** What a signature is over: the message type, which names its version and goes into the signing domain. */
export type EvidenceType =
  | 'bid-request'
  | 'search-closed'
  | 'advert'
  | 'bid'
  | 'decline'
  | 'job-request'
  | 'contract-terms'
  | 'contract-never'
  | 'serving-list'
  | 'serving-answer';

/**
 * A value together with the very bytes that were signed and who signed them. It only exists after the
 * signature was made here or checked here, so whoever holds one need not check again.
 */
export interface Evidence<Value> {
  readonly type: EvidenceType;
  readonly value: Value;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Peer id of the signer. */
  readonly signer: string;
}

/** Signs values of this node. The implementation knows the network name that goes into the signing domain. */
export interface Notary {
  readonly self: string;
  sign<Value>(type: EvidenceType, value: Value): Evidence<Value>;
  /** A second signature over bytes that somebody else signed first. */
  countersign(evidence: Evidence<unknown>): Uint8Array;
}
