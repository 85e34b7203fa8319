import type { RankReasons } from '../domain/market/rank-reason.ts';
import { saying, told, type Words } from './words.ts';

/** To stand in brackets behind the name of a ranker. */
export const rankWords: Words<RankReasons> = {
  ...told,
  'other-currency': ({ currency, comparedIn }) => `priced in ${currency}, compared in ${comparedIn}`,
  cheapest: ({ total, currency }) => `${total} ${currency} for the whole execution timeout, the cheapest`,
  dearer: ({ total, currency, cheapest }) =>
    `${total} ${currency} for the whole execution timeout, the cheapest is ${cheapest}`,
  'no-soft-constraints': () => 'no soft constraints',
  'soft-constraints': ({ met, asked }) => `meets ${met} of ${asked} soft constraints`,
  busy: ({ percent }) => `${percent} % in use with this job`,
  'start-not-said': () => 'does not say how soon it starts',
  'starts-in': ({ startsInMs }) => `starts in ${secondsText(startsInMs)}`,
  'fit-not-said': () => 'does not say what stays free',
  'leaves-unused': ({ percent }) => unusedText(percent),
  'leaves-devices': ({ percent, gpusFree, gpus }) =>
    `${unusedText(percent)}, and ${gpusFree} of ${gpus} devices free`,
  'kept-for-devices': ({ why }) =>
    `${rankPhrase(why)}; the last provider with free devices: comes after the others for a job that wants none`,
  strikes: ({ tallies }) =>
    tallies.length === 0
      ? 'no strikes'
      : `strikes: ${tallies.map(({ kind, count }) => `${kind} ${count}`).join(', ')}`,
  'round-trip-unknown': () => 'not measured yet',
  'round-trip': ({ roundTripMs }) => `${roundTripMs} ms there and back`,
  'another-node': () => 'another node',
  'own-node': () => 'this node itself: comes after every other provider',
  'own-node-preferred': () => 'this node itself, which the job prefers',
  preferred: () => 'preferred by the job: comes before every other provider',
  'not-preferred': () => 'not one of those that the job prefers',
  'silent-lately': () =>
    'it, or others that are as little known, did not answer after the last bids: comes after the others for a while',
  answers: () => 'answers after its bids',
};

/** Why a ranker gives a bid its value. */
export const rankPhrase = saying(rankWords);

function unusedText(percent: number): string {
  return `leaves ${percent} % of the machine without use`;
}

const SECOND_MS = 1000;
/** Less than this is told from nothing by nobody. */
const SHORTEST_MS = 100;
/** From here on tenths of a second say nothing. */
const LONG_MS = 9950;

function secondsText(ms: number): string {
  if (ms < SHORTEST_MS) return 'less than 0.1 s';
  return `about ${(ms / SECOND_MS).toFixed(ms < LONG_MS ? 1 : 0)} s`;
}
