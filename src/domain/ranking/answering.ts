import type { BidRequest } from '../market/bid.ts';
import type { BidFit } from '../matching/bid-fit.ts';
import { fitValue } from './fit.ts';
import { BEST_VALUE, boundedValue } from './ranker.ts';
import { DEFAULT_WEIGHTS } from './weights.ts';

/** Who is to answer a request: see {@link BidRequest.answerShare} and {@link BidRequest.answerFit}. */
export type AnswerPlan = Pick<BidRequest, 'answerShare' | 'answerFit'>;

/** What the adverts say of those that could take a job. */
export interface SeenFits {
  /** Providers looked at, a sample of the network. */
  readonly compared: number;
  /** {@link answerFit} of each of them that could take the job. */
  readonly fits: readonly number[];
  /** The same of those among them that this node has never been in touch with. */
  readonly strangers?: { readonly compared: number; readonly fits: readonly number[] };
}

export interface AnswerQuestion {
  /** Providers of the network, about. */
  readonly networkSize: number;
  readonly wantedBids: number;
  /** 1 at first; every round without success asks more providers. */
  readonly attempt: number;
  readonly seen: SeenFits;
  /** Whether how well a job fits decides on the shortlist; where it does not, nobody is kept out for it. */
  readonly bestFits: boolean;
  /** Providers asked by name, whose bids need not be got from others; those are asked for half of the bids all the same. */
  readonly invited?: number;
}

/** Bids that are asked for, for each wanted one: some are late, some do not come. */
const EXPECTED_PER_WANTED = 1.6;

/** What each round without success multiplies the share with. */
const WIDENING = 8;

/** Fewer say nothing about the others. */
const LEAST_COMPARED = 16;

/** Where each advert stands for several providers, this many make the least fit: a few are chance. */
const LEAST_BEST = 8;

/** How long a provider waits that fits worst, before it says so. */
const LONGEST_DELAY_MS = 300;

/**
 * How well a job would sit on a machine, as far as a provider can know what the requester will make of it: soft
 * constraints, load and fragmentation, weighted as on the shortlist. In thousandths.
 */
export function answerFit(softScore: number, fit: BidFit, gpusWanted: number): number {
  const { soft, load, fit: packing } = DEFAULT_WEIGHTS;
  const idle = boundedValue(Math.min(fit.cpuFree, fit.memoryFree) * BEST_VALUE);
  const sum = soft * softScore + load * idle + packing * fitValue(fit, gpusWanted);
  return Math.floor(sum / (soft + load + packing));
}

/** Bids that a request asks for. */
export function expectedBids(wantedBids: number): number {
  return Math.ceil(wantedBids * EXPECTED_PER_WANTED);
}

/** How many strangers answer a request, if there are as many as their adverts say and those are true. */
export function strangersDue(
  { answerShare, answerFit: fit }: AnswerPlan,
  claimed: number,
  { strangers }: Pick<SeenFits, 'strangers'>,
): number {
  if (strangers === undefined || strangers.compared === 0) return 0;
  const able = strangers.fits.filter((value) => value >= (fit?.least ?? 0)).length;
  return answerShare * claimed * (able / strangers.compared);
}

/**
 * Who is asked to answer, so that about as many bids come as are of use, whatever the size of the network and
 * however few fit: of those that fit, by the sample of the adverts, the best. A round that brought too little is followed by a wider one.
 */
export function planAnswers({
  networkSize,
  wantedBids,
  attempt,
  seen,
  bestFits,
  invited = 0,
}: AnswerQuestion): AnswerPlan {
  if (networkSize <= wantedBids * 2) return { answerShare: 1 };
  const inAll = expectedBids(wantedBids);
  const expected = Math.max(Math.ceil(inAll / 2), inAll - invited);
  const widened = expected * WIDENING ** (attempt - 1);
  const { compared, fits } = seen;
  if (compared < LEAST_COMPARED && compared < networkSize / 2) {
    return { answerShare: Math.min(1, widened / networkSize) };
  }
  const standsFor = Math.max(1, networkSize / compared);
  // None in the sample that fits does not mean none at all.
  const fitting = standsFor * Math.max(1, fits.length);
  if (attempt > 1 || !bestFits || widened >= fitting) return { answerShare: Math.min(1, widened / fitting) };
  const sorted = fits.toSorted((a, b) => b - a);
  const best = sorted[0] ?? BEST_VALUE;
  const leading = Math.max(Math.ceil(expected / standsFor), standsFor > 1 ? LEAST_BEST : 0);
  const least = sorted[Math.min(leading, sorted.length) - 1] ?? 0;
  const asked = standsFor * fits.filter((fit) => fit >= least).length;
  return { answerShare: Math.min(1, expected / asked), answerFit: { least, best } };
}

/** True when there may be providers that could take the job and were not asked to answer. */
export function isPartial({ answerShare, answerFit: fit }: AnswerPlan): boolean {
  return answerShare < 1 || fit !== undefined;
}

/** How long a provider waits before it delivers its bid: the best fits come first, and the others may be spared. */
export function answerDelayMs(
  request: Pick<BidRequest, 'answerAlways' | 'answerShare' | 'answerFit'>,
  fit: number,
): number {
  if (request.answerAlways || !isPartial(request)) return 0;
  const { least, best } = request.answerFit ?? { least: 0, best: BEST_VALUE };
  if (best <= least) return 0;
  const behind = Math.min(1, Math.max(0, (best - fit) / (best - least)));
  return Math.round(LONGEST_DELAY_MS * behind);
}
