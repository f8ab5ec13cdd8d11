import type { Rule } from './rule.js';
import { ConformanceError, type RuleResult } from './verdict.js';

/** The rules called for (none: all) and those that they rest on, in the order of all. Unknown ids are an error. */
export function chooseRules(rules: readonly Rule[], only: readonly string[]): readonly Rule[] {
  if (only.length === 0) return rules;
  const unknown = only.filter((id) => rules.every((rule) => rule.id !== id));
  if (unknown.length > 0)
    throw new ConformanceError(
      `There is no rule ${unknown.join(', ')}. There are: ${rules.map(({ id }) => id).join(', ')}.`,
    );
  const chosen = new Set(only);
  // From the last to the first: what a rule needs stands before it.
  for (const rule of [...rules].reverse())
    if (chosen.has(rule.id)) for (const need of rule.needs ?? []) chosen.add(need);
  return rules.filter(({ id }) => chosen.has(id));
}

/** The first of a rule's needs that failed, or that rests on such a one itself; null where all hold. */
export function unmetNeed(rule: Rule, rules: readonly Rule[], before: readonly RuleResult[]): string | null {
  const failed = before.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id);
  const isUnmet = (need: string): boolean => {
    const needed = rules.find(({ id }) => id === need);
    return failed.includes(need) || (needed !== undefined && unmetNeed(needed, rules, before) !== null);
  };
  return rule.needs?.find(isUnmet) ?? null;
}
