import type { Plan } from '../catalog/catalog.entity.js';
import type { Cents } from '../kernel/money.js';

export type PlanChangeDirection = 'same' | 'upgrade' | 'downgrade';

type Rank = Pick<Plan, 'id' | 'priceCents' | 'priceCurrency' | 'position'>;

/** By list price, not by what a holder of old pays; at one price, or in two currencies, by the manifest's order. */
export function directionOf(from: Rank, to: Rank): PlanChangeDirection {
  if (from.id === to.id) return 'same';
  const comparable = from.priceCurrency === to.priceCurrency && from.priceCents !== to.priceCents;
  const rises = comparable ? to.priceCents > from.priceCents : to.position > from.position;
  return rises ? 'upgrade' : 'downgrade';
}

export interface Price {
  cents: Cents;
  currency: string;
}

/** What a month costs more, or less where it is below zero; null where the currencies differ. */
export function differenceOf(from: Price, to: Price): Price | null {
  if (from.currency !== to.currency) return null;
  return { cents: (to.cents - from.cents) as Cents, currency: to.currency };
}
