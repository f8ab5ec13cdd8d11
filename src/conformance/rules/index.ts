import type { Clock } from '../../kernel/clock.js';
import type { Rule } from '../rule.js';
import { Violation } from '../verdict.js';
import { ACTION_RULES } from './actions.js';
import { ASYNC_CALLBACK, ASYNC_LOST_ANSWER } from './asynchronous.js';
import { AUTH_RULES } from './auth.js';
import { DEPROVISION_RULES } from './deprovision.js';
import { drainRules } from './drains.js';
import { FAULT_RULES } from './faults.js';
import { PLAN_RULES } from './plan.js';
import { CONFIG_RULES, PROVISION_RULES } from './provision.js';
import { REPEAT_RULES } from './repeats.js';
import { ssoRules } from './sso.js';

const MANIFEST_RULE: Rule = {
  id: 'manifest-fields',
  title: 'The manifest is one that a Souk takes',
  source: 'Manifest',
  mend: 'Change the fields that are named; docs/provider.md has a table of all of them.',
  run: async (trial) => {
    const { manifestProblems } = trial.session;
    if (manifestProblems.length > 0) throw new Violation(manifestProblems.join(' '));
  },
};

/** Every rule, in the order in which they run: what others need comes before them. */
export function allRules(clock: Clock): readonly Rule[] {
  return [
    MANIFEST_RULE,
    ...PROVISION_RULES,
    ASYNC_CALLBACK,
    ...CONFIG_RULES,
    ...AUTH_RULES,
    ...REPEAT_RULES,
    ASYNC_LOST_ANSWER,
    ...PLAN_RULES,
    ...ssoRules(clock),
    ...ACTION_RULES,
    ...drainRules(clock),
    ...DEPROVISION_RULES,
    ...FAULT_RULES,
  ];
}
