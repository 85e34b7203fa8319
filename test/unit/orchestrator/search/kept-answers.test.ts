import { expect, it } from 'vitest';
import { KeptAnswers } from '../../../../src/orchestrator/search/kept-answers.ts';

const MOST = 3;
const isAsked = (peer: string): boolean => peer.startsWith('asked');

function keptOf(...peers: readonly string[]): readonly string[] {
  const kept = new KeptAnswers<string>(MOST, isAsked);
  for (const peer of peers) kept.keep(peer, `no of ${peer}`);
  return kept.answers();
}

it('keeps the first of many strangers', () => {
  expect(keptOf('a', 'b', 'c', 'd')).toEqual(['no of a', 'no of b', 'no of c']);
});

it('puts those who were asked in the place of strangers, and keeps the first of those', () => {
  expect(keptOf('a', 'asked-1', 'b', 'asked-2', 'asked-3', 'asked-4', 'c')).toEqual([
    'no of asked-1',
    'no of asked-2',
    'no of asked-3',
  ]);
});

it('keeps the newest answer of each, also when it is full', () => {
  const kept = new KeptAnswers<string>(MOST, isAsked);
  for (const peer of ['a', 'b', 'c']) kept.keep(peer, 'first');
  kept.keep('b', 'second');
  kept.keep('b', 'of another kind', 'b 2');
  expect(kept.answers()).toEqual(['first', 'second', 'first']);
  expect(kept.has('b')).toBe(true);
});
