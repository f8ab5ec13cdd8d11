import { randomUUID } from 'node:crypto';
import { hasStatus, isSuccess, outcomeOf, type Exchange } from '../exchange.js';
import type { Rule } from '../rule.js';
import type { CallOptions, Trial } from '../trial.js';
import { Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, authentication: HTTP Basic with the id and the password of the manifest';

export const AUTH_RULES: readonly Rule[] = [
  {
    id: 'auth-missing',
    title: 'Calls without credentials are answered with 401',
    source: SOURCE,
    mend: 'Check the Authorization header of every call, and answer 401 where there is none.',
    needs: MADE,
    run: (trial) => refusesEverything(trial, { credentials: null }, 'without credentials'),
  },
  {
    id: 'auth-wrong',
    title: 'Calls with a wrong password are answered with 401',
    source: SOURCE,
    mend: 'Compare the password in constant time with the one of the manifest, and answer 401 when it is another.',
    needs: MADE,
    run: async (trial) => {
      const { slug, password } = trial.facts;
      const wrong = { user: slug, password: `not-${randomUUID()}` };
      await refusesEverything(trial, { credentials: wrong }, 'with a wrong password');
      const other = { user: `not-${slug}`, password };
      const exchange = await trial.provision(randomUUID(), { credentials: other });
      if (isSuccess(exchange.reply))
        trial.warn('A wrong user name with the right password is taken. Compare both.');
    },
  },
  {
    id: 'auth-before-existence',
    title: 'Credentials are checked before it is looked whether the resource exists',
    source: SOURCE,
    mend: 'Check credentials first of all, for example in a filter before your routes: else strangers learn what exists.',
    needs: [...MADE, 'auth-wrong'],
    run: async (trial) => {
      const wrong = { credentials: { user: trial.facts.slug, password: `not-${randomUUID()}` } };
      const id = randomUUID();
      requireRefusal(
        [
          await trial.changePlan(id, trial.facts.plans[0] ?? '', wrong),
          await trial.deprovision(id, id, wrong),
        ],
        'for an unknown resource, with a wrong password',
      );
    },
  },
];

/** On a resource of its own, which a provider that lets everybody in may lose by it. */
async function refusesEverything(trial: Trial, options: CallOptions, how: string): Promise<void> {
  const resource = await trial.make();
  const exchanges = [
    await trial.provision(randomUUID(), options),
    await trial.changePlan(resource.id, trial.facts.plans[0] ?? '', options),
    await trial.deprovision(resource.uuid, resource.id, options),
  ];
  requireRefusal(exchanges, how);
}

function requireRefusal(exchanges: Exchange[], how: string): void {
  const taken = exchanges.filter(({ reply }) => !hasStatus(reply, 401));
  if (taken.length === 0) return;
  const list = taken.map(({ request, reply }) => `${request.method}: ${outcomeOf(reply)}`).join(', ');
  throw new Violation(`Not answered with exactly 401 ${how}: ${list}.`, taken);
}
