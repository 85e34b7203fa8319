/** What lowers a peer's standing with this node, in either role. A closed set: kinds are API. */
export const strikeKinds = [
  'declined-after-bid',
  'lock-timeout',
  'lost-execution',
  'bad-result',
  'late-result',
  'contract-abandoned',
  'contract-never-begun',
  'lock-unused',
  'unpaid',
  'unreachable',
] as const;

export type StrikeKind = (typeof strikeKinds)[number];

/** How often a peer did one thing since it was last in good standing. */
export interface StrikeTally {
  readonly kind: StrikeKind;
  readonly count: number;
  /** Lived time. */
  readonly lastAt: number;
}

/** What is kept of one peer that has strikes. */
export interface PeerStrikes {
  readonly peer: string;
  /** As they were at `at`; they halve with each half-life since. */
  readonly points: number;
  /** Lived time. */
  readonly at: number;
  readonly tallies: readonly StrikeTally[];
}

/** How a peer has behaved towards this node. */
export interface PeerBehaviour {
  /** 1000: nothing is held against it. */
  readonly score: number;
  readonly strikes: readonly StrikeTally[];
}

export const GOOD_BEHAVIOUR: PeerBehaviour = { score: 1000, strikes: [] };

const STRIKE_POINTS: Readonly<Record<StrikeKind, number>> = {
  'declined-after-bid': 1,
  'lock-timeout': 2,
  'late-result': 2,
  'lost-execution': 4,
  'contract-abandoned': 4,
  'contract-never-begun': 2,
  'lock-unused': 1,
  'bad-result': 8,
  unpaid: 8,
  unreachable: 1,
};

/** Strikes beyond this add nothing, so that every peer comes back in a known time. */
const MOST_POINTS = 32;
/** What one contract that was kept takes off. */
const GOOD_POINTS = 1;
/** So many points leave half of the score. */
const HALVING_POINTS = 4;
/** Fewer points than this are as good as none: the peer is forgotten. */
const FORGOTTEN_POINTS = 0.1;
export const MOST_COUNTED = 1_000_000;

/** The points that are left at `now`. A clock that was set back decays nothing. */
export function pointsAt({ points, at }: PeerStrikes, now: number, halfLifeMs: number): number {
  const elapsedMs = Math.max(0, now - at);
  return Math.min(MOST_POINTS, points) * 2 ** (-elapsedMs / halfLifeMs);
}

export function isForgotten(strikes: PeerStrikes, now: number, halfLifeMs: number): boolean {
  return pointsAt(strikes, now, halfLifeMs) < FORGOTTEN_POINTS;
}

/** 1000 for no points, less for each one more: a whole number that never reaches 0. */
export function behaviourScore(points: number): number {
  return Math.ceil((GOOD_BEHAVIOUR.score * HALVING_POINTS) / (HALVING_POINTS + Math.max(0, points)));
}

/** The record of a peer with one more strike. */
export function withStrike(
  before: PeerStrikes | undefined,
  peer: string,
  kind: StrikeKind,
  now: number,
  halfLifeMs: number,
): PeerStrikes {
  const known = before === undefined || isForgotten(before, now, halfLifeMs) ? undefined : before;
  const left = known === undefined ? 0 : pointsAt(known, now, halfLifeMs);
  const tallies = known?.tallies ?? [];
  const count = tallies.find((tally) => tally.kind === kind)?.count ?? 0;
  return {
    peer,
    points: Math.min(MOST_POINTS, left + STRIKE_POINTS[kind]),
    at: now,
    tallies: [
      ...tallies.filter((tally) => tally.kind !== kind),
      { kind, count: Math.min(MOST_COUNTED, count + 1), lastAt: now },
    ],
  };
}

/** The record of a peer that kept its word once; undefined when nothing is held against it any more. */
export function withGoodTurn(before: PeerStrikes, now: number, halfLifeMs: number): PeerStrikes | undefined {
  const after = { ...before, points: pointsAt(before, now, halfLifeMs) - GOOD_POINTS, at: now };
  return isForgotten(after, now, halfLifeMs) ? undefined : after;
}
