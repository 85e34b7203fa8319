import type { BesideField, JobQueue, Suggestions } from '../domain/explain/suggestion.ts';
import { durationText } from '../domain/matching/field-text.ts';
import { countOf, namesOf, saying, type Words } from './words.ts';

type Queue = Pick<JobQueue, 'forMs' | 'isOver'> | undefined;

export const suggestionWords: Words<Suggestions> = {
  'check-those-silent': ({ providers, count }) =>
    `${countOf(count, 'known provider')} would fit but did not answer: ${namesOf(providers, count)}. Check that ${count === 1 ? 'it runs' : 'they run'} and can be reached.`,
  'ask-less': ({ field, required, available, providers, beside }) =>
    `${field}: ${required} asked, best seen ${available} on ${countOf(providers, 'provider')}.${besideText(beside)}`,
  'ask-for-none': ({ field, required, beside }) =>
    `${field}: ${required} asked, and no provider that was seen has any.${besideText(beside)}`,
  'pay-more': ({ required, available, beside }) =>
    `budget.maxPrice: at least ${available}, or leave the budget out; ${required} asked.${besideText(beside)}`,
  'pay-in-their-currency': ({ required, available, beside }) =>
    `budget.currency: ${required} asked, providers ask ${available}.${besideText(beside)}`,
  'raise-budget': () => 'budget.maxPrice: raise it, or leave the budget out.',
  'wait-for-room': (data) => waitText(data),
  'take-off-exclusion': ({ providers, count }) => {
    const [are, oneOf] = count === 1 ? ['is', ''] : ['are', 'one of '];
    const who = `${countOf(count, 'known provider')} that would fit ${are} excluded by the job`;
    return `excludedProviders: ${who}. Take ${oneOf}${namesOf(providers, count)} off.`;
  },
  'ask-to-be-let-in': ({ providers, count, self }) => {
    const owners = count === 1 ? 'the owner' : 'the owners';
    const id = self === undefined ? 'your peer id' : `your peer id ${self}`;
    return `Ask ${owners} of ${namesOf(providers, count)} to let your node in: add ${id} to provider.allow, or take it off provider.deny.`;
  },
  undrain: ({ providers, count, queue }) => {
    const [are, owners] = count === 1 ? ['is', 'its owner'] : ['are', 'their owners'];
    return `${namesOf(providers, count)} ${are} drained: ${owners} can run "bidmesh node undrain"${orWait(queue)}.`;
  },
  'be-known-first': () =>
    'A part of what is free is kept for requesters that its provider has worked for (KEPT_SHARE): ask for less, or have a smaller job done there first.',
  'try-later': ({ queue }) => `Try again later${orWait(queue)}.`,
  'check-preferred': ({ providers, count }) =>
    `preferredProviders: no answer from ${namesOf(providers, count)}. Check the ids, and that those nodes run, offer something and can be reached.`,
  'start-a-provider': () =>
    'No provider was reached: start one with "bidmesh start", or join a network with --bootstrap.',
};

/** The smallest changes that would have helped. */
export const suggestionSentence = saying(suggestionWords);

/** A no names one thing; more may be known. */
function besideText(beside: readonly BesideField[] | undefined): string {
  if (beside === undefined) return '';
  if (beside.length === 0) return ' Not the only thing in the way there.';
  const names = beside.map(({ field, required, available }) =>
    required === undefined ? field : `${field} (${required} asked, best seen ${available})`,
  );
  return ` In the way there as well: ${namesOf(names)}.`;
}

function waitText(data: Suggestions['wait-for-room']): string {
  const { queue } = data;
  const isBusy = 'busy' in data;
  const who = isBusy
    ? `${data.busy} ${data.busy === 1 ? 'provider fits' : 'providers fit'} when less runs there`
    : `${data.noRoom} ${data.noRoom === 1 ? 'provider has' : 'providers have'} no room just now`;
  if (queue === undefined) {
    return isBusy
      ? `${who}: give timeouts.queue some time.`
      : `${who}: with time in timeouts.queue the job waits for it.`;
  }
  const time = durationText(queue.forMs);
  return queue.isOver
    ? `${who}: give timeouts.queue more time than ${time}.`
    : `${who}: the job waits for that, for ${time} at most (timeouts.queue).`;
}

/** What a job that waits, has waited or does not wait can do about something that ends by itself. */
function orWait(queue: Queue): string {
  if (queue === undefined) return ', or give timeouts.queue some time';
  const time = durationText(queue.forMs);
  return queue.isOver
    ? `, or give timeouts.queue more time than ${time}`
    : `; the job waits by itself, for ${time} at most (timeouts.queue)`;
}
