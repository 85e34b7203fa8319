import { nanoToAmount } from '../units/money.ts';
import { BEST_VALUE, type Contender, type Field, type Ranker } from './ranker.ts';

function cheapestOf({ contenders, currency }: Field): bigint | undefined {
  let cheapest: bigint | undefined;
  for (const { bid, costNano } of contenders) {
    if (bid.price.currency !== currency) continue;
    if (cheapest === undefined || costNano < cheapest) cheapest = costNano;
  }
  return cheapest;
}

/** The cheapest bid has 1000; one that costs twice as much has 500. Other currencies cannot be compared and have 0. */
export const priceRanker: Ranker = {
  name: 'price',
  prepare(field) {
    const cheapest = cheapestOf(field);
    return ({ bid, costNano }: Contender) => {
      const { currency } = bid.price;
      if (cheapest === undefined || currency !== field.currency) {
        return { value: 0, reason: `priced in ${currency}, compared in ${field.currency}` };
      }
      const total = `${nanoToAmount(costNano)} ${currency} for the whole execution timeout`;
      if (costNano === cheapest) return { value: BEST_VALUE, reason: `${total}, the cheapest` };
      const value = Number((cheapest * BigInt(BEST_VALUE)) / costNano);
      return { value, reason: `${total}, the cheapest is ${nanoToAmount(cheapest)}` };
    };
  },
};
