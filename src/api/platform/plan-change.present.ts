import { planName, type Plan } from '../../catalog/catalog.entity.js';
import { centsToNumber } from '../../kernel/money.js';
import type { Price } from '../../provisioning/plan-change-quote.js';
import type { PlanChangeQuote } from '../../provisioning/quote-plan-change.js';
import type { PlanChangeQuoteResource } from './plan-change.dto.js';
import type { PriceResource } from './resources.js';

export function presentPlanChangeQuote(quote: PlanChangeQuote): PlanChangeQuoteResource {
  const { addon, to, direction, prices, restarts, expected } = quote;
  const { difference } = prices;
  return {
    addon: { id: addon.id, name: addon.name },
    from: { id: addon.plan.id, name: planName(addon.plan) },
    to: { id: to.id, name: planName(to) },
    direction,
    current_price: presentPrice(prices.from, addon.plan),
    new_price: presentPrice(prices.to, to),
    price_difference:
      difference === null
        ? null
        : { cents: centsToNumber(difference.cents), unit: 'month', currency: difference.currency },
    restarts: { apps: restarts.apps, other_apps: restarts.otherApps, when: 'config_vars_change' },
    expected_seconds: expected.seconds,
    expected_from_changes: expected.changes,
  };
}

function presentPrice(price: Price, plan: Plan): PriceResource {
  return {
    cents: centsToNumber(price.cents),
    unit: 'month',
    contract: plan.priceContract,
    metered: plan.priceMetered,
    currency: price.currency,
  };
}
