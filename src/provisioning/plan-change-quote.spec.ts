import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { PlanId } from '../kernel/ids.js';
import { toCents } from '../kernel/money.js';
import { differenceOf, directionOf } from './plan-change-quote.js';

const plan = (id: string, cents: number, position: number, priceCurrency = 'USD') => ({
  id: id as PlanId,
  priceCents: toCents(cents),
  priceCurrency,
  position,
});

describe('the direction of a plan change', () => {
  it.each([
    [plan('a', 500, 0), plan('a', 500, 0), 'same'],
    [plan('a', 500, 0), plan('b', 900, 1), 'upgrade'],
    [plan('b', 900, 1), plan('a', 500, 0), 'downgrade'],
    [plan('a', 500, 5), plan('b', 900, 1), 'upgrade'],
    [plan('a', 500, 0), plan('b', 500, 1), 'upgrade'],
    [plan('b', 500, 1), plan('a', 500, 0), 'downgrade'],
    [plan('a', 900, 0), plan('b', 500, 1, 'EUR'), 'upgrade'],
  ])('case %#', (from, to, direction) => {
    assert.equal(directionOf(from, to), direction);
  });
});

it('says the difference of a month, below zero where it is less, and none between currencies', () => {
  const usd = (cents: number) => ({ cents: toCents(cents), currency: 'USD' });
  assert.deepEqual(differenceOf(usd(500), usd(5_000)), usd(4_500));
  assert.deepEqual(differenceOf(usd(5_000), usd(500)), usd(-4_500));
  assert.equal(differenceOf(usd(500), { cents: toCents(500), currency: 'EUR' }), null);
});
