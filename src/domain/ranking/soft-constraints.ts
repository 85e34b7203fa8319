import { boundedValue, type Ranker } from './ranker.ts';

/** The weighted share of the job's soft constraints that a provider meets. */
export const softConstraintRanker: Ranker = {
  name: 'soft',
  prepare: () => (contender) => {
    const { fields, softScore } = contender.bid.comparison;
    const soft = fields.filter((field) => !field.hard);
    const value = boundedValue(softScore);
    if (soft.length === 0) return { value, why: { code: 'no-soft-constraints', data: {} } };
    const met = soft.filter((field) => field.result === 'Equal' || field.result === 'Better');
    return { value, why: { code: 'soft-constraints', data: { met: met.length, asked: soft.length } } };
  },
};
