import type { Decline } from '../domain/market/bid.ts';

/** What an event keeps of a no beside its code and message. */
export function declineData({
  stage,
  field,
  required,
  available,
  retryable,
  retryAfterMs,
}: Decline): Readonly<Record<string, unknown>> {
  return {
    stage,
    retryable,
    ...(field === undefined ? {} : { field }),
    ...(required === undefined ? {} : { required }),
    ...(available === undefined ? {} : { available }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
