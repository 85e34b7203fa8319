import type { FieldComparison, Standing } from './comparison.ts';
import { amountToNano, costNano, nanoToAmount, type Price, sufficientAmount } from '../units/money.ts';

function perText(amount: string, { currency, per }: Price): string {
  return `${amount} ${currency} per ${per}`;
}

/** Whether {@link compareBudget} comes to a yes, at a third of its cost: most requests are within their budget. */
export function isWithinBudget(budget: Price, price: Price, durationMs: number): boolean {
  return price.currency === budget.currency && costNano(price, durationMs) <= costNano(budget, durationMs);
}

/**
 * A budget against a price, for the time that the work may take: in the budget's own unit, so that what is there can
 * be asked for as it stands. Another currency is named by itself, since no amount would help.
 */
export function compareBudget(budget: Price, price: Price, durationMs: number): FieldComparison {
  if (price.currency !== budget.currency) {
    return {
      field: 'budget.currency',
      required: budget.currency,
      available: price.currency,
      result: 'Error',
      hard: true,
    };
  }
  const [most, cost] = [costNano(budget, durationMs), costNano(price, durationMs)];
  const result: Standing = cost > most ? 'Worse' : cost === most ? 'Equal' : 'Better';
  const enough = nanoToAmount(sufficientAmount(price, budget.per, durationMs));
  return {
    field: 'budget.maxPrice',
    required: perText(nanoToAmount(amountToNano(budget.amount)), budget),
    available: perText(enough, budget),
    result,
    hard: true,
  };
}
