import type { Refusal } from '../../domain/bid.ts';

export const EXPIRED: Refusal = {
  code: 'BID_EXPIRED',
  message: 'The bid does not stand any more. Ask for bids again.',
  retryable: true,
};
export const LOCK_EXPIRED: Refusal = {
  code: 'LOCK_EXPIRED',
  message: 'The lock was granted before and has run out.',
  retryable: true,
};
export const DRAINING: Refusal = {
  code: 'DRAINING',
  message: 'This node takes no new work.',
  retryable: true,
};
export const TAKEN: Refusal = {
  code: 'INSUFFICIENT_RESOURCES',
  message: 'The capacity was taken by another job in the meantime.',
  retryable: true,
};
export const NO_PLACE_LEFT: Refusal = {
  code: 'INSUFFICIENT_RESOURCES',
  message: 'The bid offered no more places than were locked already.',
  retryable: true,
};
