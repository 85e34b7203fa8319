import type { JobReasons, ShortageData, ShortageReasons } from '../domain/job/job-reason.ts';
import { durationText } from '../domain/matching/field-text.ts';
import { endSentence } from './end-words.ts';
import { passedOverPhrase } from './passed-over-words.ts';
import { asPhrase, countOf, lowered, namesOf, saying, told, type Words } from './words.ts';

const shortageWords: Words<ShortageReasons> = {
  'nobody-could': ({ because, ...data }) =>
    shortage(data, (nobody) => `${nobody} could take the job: ${counted(because)}.`),
  'bidders-gone': (data) =>
    shortage(data, () => 'Every provider that made a bid went away before it could be used.'),
  'search-broken-off': (data) => shortage(data, () => 'The search for providers was broken off.'),
  'no-bid-in-time': ({ excluded, ...data }) =>
    shortage(data, (nobody) => `${nobody} made a bid in time.${leftOut(excluded)}`),
  'preferred-silent': ({ providers, ...data }) =>
    shortage(
      data,
      (nobody) =>
        `${nobody} gave an answer: the job asks only ${namesOf(providers)}. Check the ids, and that those nodes run and offer something.`,
    ),
  'nobody-known': ({ excluded, ...data }) =>
    shortage(data, (nobody) =>
      excluded > 0
        ? `${nobody} could be asked.${leftOut(excluded)}`
        : `${nobody} could be reached. Start one with "bidmesh start", or join a network with --bootstrap.`,
    ),
  'nobody-reached': ({ known, fitting, excluded, ...data }) =>
    shortage(
      data,
      (nobody) =>
        `${nobody} could be reached: ${fitting} of the ${known} known ones would fit.${leftOut(excluded)}`,
    ),
  'nobody-fits': ({ known, fields, excluded, ...data }) =>
    shortage(data, () => {
      const who =
        known === 1 ? 'The only known provider does not fit' : `None of the ${known} known providers fits`;
      return `${who}${fields.length === 0 ? '' : `: ${namesOf(fields)}`}.${leftOut(excluded)}`;
    }),
};

export const jobWords: Words<JobReasons> = {
  ...told,
  ...shortageWords,
  'stopped-by-owner': () => 'Stopped by its owner.',
  'job-time-over': ({ totalMs }) => `The job was not done within its total time of ${durationText(totalMs)}.`,
  'job-not-planned': () => 'The job could not be planned: see the log of this node.',
  'no-search-slot': () => 'Waiting for a free search slot.',
  'partition-failed': ({ partition, exitReason, exitCode, why }) => {
    const code = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
    return `Partition ${partition} failed (${exitReason}${code}): ${endSentence(why)}`;
  },
  'attempts-used-up': ({ partition, attempts, exitReason, why }) =>
    `Partition ${partition} failed ${attempts} times, the last time (${exitReason}): ${endSentence(why)}`,
};

/** Why a job is in its state. */
export const jobSentence = saying(jobWords);

/** `say` is given who it was that did not take the job. */
function shortage({ lost, otherNetworks, queueMs }: ShortageData, say: (nobody: string) => string): string {
  const reason =
    lost === undefined
      ? say('No provider')
      : `Lost by ${lost.provider} after ${durationText(lost.afterMs)}; then ${lowered(say('no other provider'))}`;
  return reason + elsewhere(otherNetworks) + moreQueue(queueMs);
}

function elsewhere(networks: readonly string[] | undefined): string {
  if (networks === undefined) return '';
  const names = networks.map((name) => `"${name}"`).join(', ');
  return ` Connected nodes of network ${names} were not asked: this node is of another one; join theirs with "bidmesh start --network".`;
}

function moreQueue(queueMs: number | undefined): string {
  if (queueMs === undefined) return '';
  return queueMs === 0
    ? ' With time in timeouts.queue the job waits for room.'
    : ' With more time in timeouts.queue the job waits longer for room.';
}

function leftOut(excluded: number): string {
  if (excluded === 0) return '';
  return ` ${countOf(excluded, 'provider')} ${excluded === 1 ? 'is' : 'are'} left out by excludedProviders.`;
}

/** Those that read the same count together. */
function counted(reasons: ShortageReasons['nobody-could']['because']): string {
  const counts = new Map<string, number>();
  for (const { count, why } of reasons) {
    const phrase = asPhrase(passedOverPhrase(why));
    counts.set(phrase, (counts.get(phrase) ?? 0) + count);
  }
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([phrase, count]) => `${count} x ${phrase}`)
    .join(', ');
}
