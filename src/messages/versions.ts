import type { EvidenceType } from '../domain/market/evidence.ts';

/**
 * The version of each signed message: in its signing domain, and in its header where it has one. It grows with what
 * nobody may pass over; everything else is a new key, a new word or a feature (specs/protocols/envelope.md).
 * What is stored for long, contracts and what was said of them, holds as it was signed.
 */
export const MESSAGE_VERSIONS: Readonly<Record<EvidenceType, number>> = {
  'bid-request': 2,
  'search-closed': 2,
  advert: 2,
  bid: 2,
  decline: 2,
  'job-request': 2,
  'contract-terms': 1,
  'contract-never': 1,
  'serving-list': 2,
  'serving-answer': 2,
};
