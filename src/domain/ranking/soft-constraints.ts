import { boundedValue, type Ranker } from './ranker.ts';

/** The weighted share of the job's soft constraints that a provider meets. */
export const softConstraintRanker: Ranker = {
  name: 'soft',
  prepare: () => (contender) => {
    const { fields, softScore } = contender.bid.comparison;
    const soft = fields.filter((field) => !field.hard);
    if (soft.length === 0) return { value: boundedValue(softScore), reason: 'no soft constraints' };
    const met = soft.filter((field) => field.result === 'Equal' || field.result === 'Better');
    return {
      value: boundedValue(softScore),
      reason: `meets ${met.length} of ${soft.length} soft constraints`,
    };
  },
};
