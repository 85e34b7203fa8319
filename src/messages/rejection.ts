/**
 * Why a message is not believed. A closed set: the codes are counter names. What is `UNKNOWN_…` is not broken, only later
 * than this node: it is passed over, and nobody is blamed for it.
 */
export type RejectionCode =
  | 'OVERSIZED'
  | 'MALFORMED'
  | 'UNKNOWN_VERSION'
  | 'UNKNOWN_KIND'
  | 'UNKNOWN_VALUE'
  | 'WRONG_NETWORK'
  | 'EXPIRED'
  | 'WRONG_SIGNER'
  | 'BAD_SIGNATURE';

export interface Rejection {
  readonly code: RejectionCode;
  /** What exactly was wrong; may quote the message, so it is for debug logs only. */
  readonly detail: string;
}

/** A value read from the wire, or why it was refused. Bad input is never an exception. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly rejection: Rejection };

export function refuse(
  code: RejectionCode,
  detail: string,
): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection: { code, detail } };
}
