import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { endWords } from '../../../src/words/end-words.ts';
import { eventWords } from '../../../src/words/event-words.ts';
import { jobWords } from '../../../src/words/job-words.ts';
import { negotiationWords } from '../../../src/words/negotiation-words.ts';
import { passedOverWords } from '../../../src/words/passed-over-words.ts';
import { rankWords } from '../../../src/words/rank-words.ts';
import { refusalWords } from '../../../src/words/refusal-words.ts';
import { suggestionWords } from '../../../src/words/suggestion-words.ts';
import { winnerWords } from '../../../src/words/winner-words.ts';
import { saying } from '../../../src/words/words.ts';
import * as samples from '../words/samples.ts';
import { sectionOf, tablesOf } from './markdown.ts';

type Said = ReturnType<typeof saying<Record<string, object>>>;

/** What `words` make of each sample, as rows of a table: code, names of the data, sentence. */
function rowsOf(words: object, of: object): readonly (readonly string[])[] {
  const say: Said = saying(words as Parameters<typeof saying<Record<string, object>>>[0]);
  return Object.entries(of).map(([code, data]: [string, object]) => [
    `\`${code}\``,
    Object.keys(data)
      .map((name) => `\`${name}\``)
      .join(', '),
    say({ code, data }),
  ]);
}

describe('specs/reasons.md', () => {
  const page = readFileSync('specs/reasons.md', 'utf8');

  it.each([
    ['Jobs', jobWords, samples.job],
    ['Ends', endWords, samples.end],
    ['Negotiations', negotiationWords, samples.negotiation],
    ['Passed over', passedOverWords, samples.passedOver],
    ['Events', eventWords, samples.event],
    ['Refusals', refusalWords, samples.refusal],
    ['Ranks', rankWords, samples.rank],
    ['Winners', winnerWords, samples.winner],
    ['Suggestions', suggestionWords, samples.suggestion],
  ])('has every code of "%s" with its data and its sentence, and no other', (title, words, of) => {
    const [table] = tablesOf(sectionOf(page, title));
    expect(table?.rows.map((row) => row.slice(0, 3))).toEqual(rowsOf(words, of));
    expect(table?.rows.filter((row) => (row[3] ?? '') === '')).toEqual([]);
  });

  it('has the codes of contracts, which nobody is shown a sentence of', () => {
    const [table] = tablesOf(sectionOf(page, 'Contracts'));
    expect(table?.rows.map(([code]) => code)).toEqual(
      Object.keys(samples.contract).map((code) => `\`${code}\``),
    );
  });
});
