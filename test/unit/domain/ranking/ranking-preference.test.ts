import { describe, expect, it } from 'vitest';
import { fieldErrorsOf } from '../../../../src/api/field-errors.ts';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { rankerNames } from '../../../../src/domain/ranking/index.ts';

const engine = { type: 'python', params: { script: { text: 'print(1)' } } };

function pathsOf(prefer: unknown): string[] {
  const { error } = jobDescription.safeParse({ engine, prefer });
  return error === undefined ? [] : fieldErrorsOf(error).map(({ path }) => path);
}

describe('prefer', () => {
  it('takes the presets, and a weight for every ranker', () => {
    for (const preset of ['price', 'speed', 'balanced']) expect(pathsOf(preset)).toEqual([]);
    const weights = Object.fromEntries(rankerNames.map((name) => [name, 1]));
    expect(jobDescription.parse({ engine, prefer: weights }).prefer).toEqual(weights);
  });

  it.each([
    [{ price: 1, nonsense: 2 }, ['prefer.nonsense']],
    [{ nonsense: 1, 'own-node': 1 }, ['prefer.nonsense', 'prefer.own-node']],
    [{ price: -1 }, ['prefer.price']],
    [{ roundTrip: 'much' }, ['prefer.roundTrip']],
    ['cheapest', ['prefer']],
    [7, ['prefer']],
  ])('names what is wrong in %j', (prefer, paths) => {
    expect(pathsOf(prefer)).toEqual(paths);
  });
});
