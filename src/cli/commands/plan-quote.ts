import type { Command } from 'commander';
import { clientFromEnv } from '../api-client.js';
import { printFacts } from '../output.js';

interface Quote {
  from: { name: string };
  to: { name: string };
  direction: string;
  price_difference: { cents: number; unit: string; currency: string } | null;
  restarts: { apps: string[]; other_apps: number };
  expected_seconds: number | null;
  expected_from_changes: number;
}

/** `souk quote`: what a plan change would cost, restart and take. */
export function addQuoteCommand(program: Command): void {
  program
    .command('quote')
    .argument('<addon>', 'name or id of the add-on')
    .argument('<plan>', 'the plan to change to, e.g. souk-postgresql:essential-1')
    .option('--json', 'print JSON')
    .description('say what a plan change would bring, and change nothing')
    .action(async (addon: string, plan: string, { json }: { json?: boolean }) => {
      const path = `/addons/${encodeURIComponent(addon)}/plan-change-quote?plan=${encodeURIComponent(plan)}`;
      const quote = await clientFromEnv().get<Quote>(path);
      printFacts(quote, json, () => linesOf(quote).join('\n'));
    });
}

function linesOf(quote: Quote): string[] {
  if (quote.direction === 'same') return [`The add-on is on ${quote.to.name} already.`];
  const { apps, other_apps: others } = quote.restarts;
  const names = [...apps, ...(others === 0 ? [] : [`${others} of other accounts`])].join(', ');
  return [
    `${quote.from.name} to ${quote.to.name}: ${quote.direction}`,
    `Price:    ${priceOf(quote)}`,
    `Restarts: ${names === '' ? 'nothing' : `${names}, if its config vars change`}`,
    `Takes:    ${timeOf(quote)}`,
  ];
}

function priceOf({ price_difference: difference }: Quote): string {
  if (difference === null) return 'in another currency';
  const { cents, unit, currency } = difference;
  if (cents === 0) return 'stays';
  return `${(Math.abs(cents) / 100).toFixed(2)} ${currency} a ${unit} ${cents > 0 ? 'more' : 'less'}`;
}

function timeOf({ expected_seconds: seconds, expected_from_changes: changes }: Quote): string {
  if (seconds === null) return 'unknown, since this provider made no change yet';
  return `about ${seconds} s, by the last ${changes} change${changes === 1 ? '' : 's'} of this provider`;
}
