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
        return { value: 0, why: { code: 'other-currency', data: { currency, comparedIn: field.currency } } };
      }
      const total = nanoToAmount(costNano);
      if (costNano === cheapest) {
        return { value: BEST_VALUE, why: { code: 'cheapest', data: { total, currency } } };
      }
      const value = Number((cheapest * BigInt(BEST_VALUE)) / costNano);
      const data = { total, currency, cheapest: nanoToAmount(cheapest) };
      return { value, why: { code: 'dearer', data } };
    };
  },
};
