import { describe, expect, it } from 'vitest';
import type { Payer } from '../../../../src/network/allowances/accounts.ts';
import { defaultAllowanceLimits } from '../../../../src/network/allowances/limits.ts';
import { Pacing } from '../../../../src/network/allowances/pacing.ts';

const LIMITS = defaultAllowanceLimits;
const regular: Payer = { peer: 'established', known: true, prefix: '10.0.0' };
const stranger = (peer: string, prefix?: string): Payer => ({ peer, known: false, prefix });

/** A known peer that works all the time, beside strangers that take pieces of 6 ms whenever they are read. */
function taken(strangers: readonly Payer[], durationMs: number, ofKnownMs = 2): number {
  const pacing = new Pacing(LIMITS, 0);
  const readFrom = new Map<Payer, number>();
  pacing.worked(regular, 2 * ofKnownMs, 0);
  let workMs = 0;
  for (let nowMs = 0; nowMs < durationMs; nowMs += 10) {
    if (nowMs % 100 === 0) pacing.worked(regular, ofKnownMs, nowMs);
    for (const one of strangers) {
      if ((readFrom.get(one) ?? 0) > nowMs) continue;
      pacing.worked(one, 6, nowMs);
      workMs += 6;
      readFrom.set(one, nowMs + pacing.pauseMs(one, nowMs));
    }
  }
  return workMs;
}

describe('strangers beside a known peer that is at work', () => {
  it('have a small part of each moment, and so of a long time: those of a prefix, and all together', () => {
    const ofOnePrefix = Array.from({ length: 4 }, (_, index) => stranger(`s${index}`, '127.66.0'));
    const fromAnywhere = Array.from({ length: 60 }, (_, index) => stranger(`s${index}`, `10.0.${index}`));
    const { perPrefixBesideKnown, strangersBesideKnown } = LIMITS;
    for (const [strangers, limit] of [
      [ofOnePrefix, perPrefixBesideKnown],
      [fromAnywhere, strangersBesideKnown],
    ] as const) {
      const atOnceMs = limit.burst + 6 * strangers.length;
      expect(taken(strangers, 100)).toBeLessThanOrEqual(atOnceMs + limit.perSecond / 10);
      expect(taken(strangers, 10_000)).toBeLessThanOrEqual(atOnceMs + 10 * limit.perSecond);
      // They have that much, and are not kept from more by more than the debt.
      expect(taken(strangers, 10_000)).toBeGreaterThan(6 * limit.perSecond);
    }
  });

  it('are never made to wait for the control messages and pings of neighbours that want nothing', () => {
    expect(taken([stranger('one', '127.66.0')], 1000, 0.1)).toBe(600);
  });

  it('wait no longer once that peer has been still for a few seconds', () => {
    const pacing = new Pacing(LIMITS, 0);
    const one = stranger('one');
    pacing.worked(regular, 10, 0);
    pacing.worked(one, 100, 0);
    expect(pacing.pauseMs(one, 0)).toBeGreaterThan(300);
    expect(pacing.pauseMs(regular, 0)).toBe(0);
    pacing.worked(one, 500, 1000);
    expect(pacing.pauseMs(one, 3000)).toBe(0);
  });
});
