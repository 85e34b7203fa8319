import { describe, expect, it } from 'vitest';
import { Accounts, type Payer } from '../../../../src/network/allowances/accounts.ts';
import { defaultAllowanceLimits } from '../../../../src/network/allowances/limits.ts';
import { WorkBudget } from '../../../../src/network/allowances/work-budget.ts';

const LIMITS = defaultAllowanceLimits;
const stranger = (peer: string, prefix?: string): Payer => ({ peer, known: false, prefix });
const known = (peer: string): Payer => ({ peer, known: true, prefix: '10.0.0' });

/** All of them take what they can get, a little at a time, for `durationMs`; gives what they got, in milliseconds of a processor. */
function taken(accounts: Accounts, payers: readonly Payer[], durationMs: number, fromMs = 0): number {
  const STEP_MS = 1;
  let workMs = 0;
  for (let nowMs = fromMs; nowMs < fromMs + durationMs; nowMs += 50) {
    for (const payer of payers) {
      while (accounts.waitMs(payer, nowMs) === 0) {
        accounts.prepay(payer, STEP_MS, nowMs);
        workMs += STEP_MS;
      }
    }
  }
  return workMs;
}

describe('a budget of work', () => {
  it('may be overdrawn, and what is owed comes back first', () => {
    const budget = new WorkBudget({ burst: 100, perSecond: 50 }, 2, 0);
    expect(budget.waitMs(0)).toBe(0);
    budget.charge(150, 0);
    expect(budget.waitMs(0)).toBe(1001);
    expect(budget.waitMs(1001)).toBe(0);
    budget.charge(1e9, 1001);
    expect(budget.waitMs(1001)).toBe(4001);
  });

  it('gains no more than its burst', () => {
    const budget = new WorkBudget({ burst: 100, perSecond: 50 }, 2, 0);
    budget.charge(1, 1e9);
    budget.charge(100, 1e9);
    expect(budget.waitMs(1e9)).toBeGreaterThan(0);
  });
});

describe('the accounts of peers', () => {
  it('let known peers in any number take little more than one of them may, and leave each what it is assured of', () => {
    const MINUTE_MS = 60_000;
    for (const peers of [1, 4, 16]) {
      const accounts = new Accounts(LIMITS, 0);
      const crowd = Array.from({ length: peers }, (_, index) => known(`turned-${index}`));
      const shareOfTheLongRun =
        (taken(accounts, crowd, MINUTE_MS) - 2 * LIMITS.knownInTotal.burst) / MINUTE_MS;
      // Each has what it is assured of, whatever the others take.
      expect(shareOfTheLongRun).toBeLessThan(0.62 + peers * 0.065);
      const honestMs = taken(accounts, [known('honest')], 1000, MINUTE_MS);
      expect(honestMs).toBeGreaterThanOrEqual(LIMITS.assuredPerKnownPeer.burst);
    }
  });

  it('let strangers in any number take no more than a third of a core for long, and nothing of what a known peer has', () => {
    const MINUTE_MS = 60_000;
    for (const [peers, prefixes] of [
      [3, 1],
      [40, 8],
      [200, 200],
    ] as const) {
      const accounts = new Accounts(LIMITS, 0);
      const crowd = Array.from({ length: peers }, (_, index) =>
        stranger(`stranger-${index}`, `prefix-${index % prefixes}`),
      );
      const tookMs = taken(accounts, crowd, MINUTE_MS);
      expect(tookMs / MINUTE_MS).toBeLessThan(0.36);
      expect(accounts.waitMs(known('established'), MINUTE_MS)).toBe(0);
      const regularMs = taken(accounts, [known('established')], 1000, MINUTE_MS);
      expect(regularMs).toBeGreaterThan(1000);
    }
  });

  it('let one stranger take a fifth of a core, and one prefix a quarter', () => {
    const SHARES = [
      [[stranger('one', 'a')], 0.2],
      [Array.from({ length: 20 }, (_, index) => stranger(`s${index}`, 'a')), 0.25],
    ] as const;
    for (const [payers, share] of SHARES) {
      const took = taken(new Accounts(LIMITS, 0), payers, 60_000) / 60_000;
      expect(took).toBeGreaterThan(share * 0.95);
      expect(took).toBeLessThan(share * 1.1);
    }
  });

  it('let a newcomer do a first job at once: as much of a processor as that takes is there', () => {
    const accounts = new Accounts(LIMITS, 0);
    for (let workMs = 0; workMs < 300; workMs += 5) {
      expect(accounts.waitMs(stranger('newcomer', 'home'), 0)).toBe(0);
      accounts.worked(stranger('newcomer', 'home'), 5, 0);
    }
  });

  it('do not take twice what was paid before and is measured after', () => {
    const accounts = new Accounts({ ...LIMITS, perStranger: { burst: 10, perSecond: 1 } }, 0);
    const payer = stranger('one');
    for (let times = 0; times < 4; times += 1) {
      accounts.prepay(payer, 2, 0);
      accounts.worked(payer, 2, 0);
    }
    expect(accounts.waitMs(payer, 0)).toBe(0);
    accounts.worked(payer, 4, 0);
    expect(accounts.waitMs(payer, 0)).toBeGreaterThan(0);
  });

  it('let a fine cost nobody but who has to pay it', () => {
    const accounts = new Accounts(LIMITS, 0);
    accounts.fine(stranger('bad', 'shared'), 1e6, 0);
    expect(accounts.waitMs(stranger('bad', 'shared'), 0)).toBeGreaterThan(0);
    expect(accounts.waitMs(stranger('good', 'shared'), 0)).toBe(0);
  });

  it('let a neighbour hand on what others say, as far as all neighbours together may', () => {
    const accounts = new Accounts(LIMITS, 0);
    const hub = stranger('hub');
    // A hub of a busy network, for a minute.
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      for (let message = 0; message < 3; message += 1) {
        accounts.handedOn(hub, 0.4, nowMs);
        accounts.worked(hub, 0.4, nowMs);
      }
      expect(accounts.waitMs(hub, nowMs)).toBe(0);
    }
  });

  it('know a peer anew as soon as it is known, and a stranger again when it is not', () => {
    const accounts = new Accounts(LIMITS, 0);
    accounts.worked(stranger('one'), 1000, 0);
    expect(accounts.waitMs(stranger('one'), 0)).toBeGreaterThan(0);
    expect(accounts.waitMs({ ...stranger('one'), known: true }, 0)).toBe(0);
    expect(accounts.waitMs(stranger('one'), 0)).toBeGreaterThan(0);
  });

  it('are bounded: of too many strangers the one idle longest starts afresh, of those known none', () => {
    const accounts = new Accounts(
      { ...LIMITS, rememberedPeers: 8, strangersInTotal: LIMITS.perKnownPeer },
      0,
    );
    accounts.worked(known('established'), 4000, 0);
    accounts.worked(stranger('first'), 500, 0);
    for (let index = 0; index < 9; index += 1) accounts.worked(stranger(`s${index}`), 1, 0);
    expect(accounts.waitMs(stranger('first'), 0)).toBe(0);
    expect(accounts.waitMs(known('established'), 0)).toBeGreaterThan(0);
  });
});
