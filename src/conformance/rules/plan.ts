import { randomUUID } from 'node:crypto';
import { hasStatus, isObject, isSuccess, outcomeOf } from '../exchange.js';
import { configIn, faultOfConfigNames, faultOfConfigShape } from '../judge-provision.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, plan change';

export const PLAN_RULES: readonly Rule[] = [
  {
    id: 'plan-change',
    title: 'A change to another plan is done, or refused with 422 and a message',
    source: SOURCE,
    mend: 'Answer PUT <base_url>/<id> {"plan":"…"} with 200 when the plan is changed, or with 422 and {"message":"why not"}.',
    needs: MADE,
    run: changePlan,
  },
  {
    id: 'plan-change-same',
    title: 'A change to the plan that it has is a success',
    source: `${SOURCE}: the same plan is no change`,
    mend: 'Answer 200 when the resource already has that plan: a repeat of a change looks exactly so.',
    needs: MADE,
    run: async (trial) => {
      const resource = await trial.make();
      const exchange = await trial.changePlan(resource.id, trial.facts.plans[0] ?? '');
      if (!isSuccess(exchange.reply))
        throw new Violation(`The change to the same plan ended with ${outcomeOf(exchange.reply)}.`, [
          exchange,
        ]);
    },
  },
  {
    id: 'plan-change-unknown',
    title: 'A change to a plan that does not exist is refused',
    source: SOURCE,
    mend: 'Compare the plan with those that you have, and answer 422 with a message when it is none of them.',
    needs: MADE,
    run: async (trial) => {
      const resource = await trial.make();
      const exchange = await trial.changePlan(resource.id, `no-such-plan-${randomUUID().slice(0, 8)}`);
      const { reply } = exchange;
      if (reply.kind !== 'answered' || reply.status < 400 || reply.status >= 500)
        throw new Violation(`Expected 422 (or another 4xx); it ended with ${outcomeOf(reply)}.`, [exchange]);
    },
  },
  {
    id: 'unknown-id',
    title: 'A resource that never was is answered with 404 or 410',
    source: `${SOURCE}, deprovision: status`,
    mend: 'Answer 404 for an id that you do not know. A 200 tells the platform that a resource was changed or deleted.',
    needs: MADE,
    run: async (trial) => {
      const id = randomUUID();
      const exchanges = [
        await trial.changePlan(id, trial.facts.plans[0] ?? ''),
        await trial.deprovision(id, id),
      ];
      const wrong = exchanges.filter(({ reply }) => !hasStatus(reply, 404, 410));
      if (wrong.length > 0)
        throw new Violation(
          `Expected 404 or 410: ${wrong.map(({ request, reply }) => `${request.method} ${outcomeOf(reply)}`).join(', ')}.`,
          wrong,
        );
    },
  },
];

async function changePlan(trial: Trial): Promise<void> {
  const [, other] = trial.facts.plans;
  if (other === undefined) throw new NotApplicable('The manifest has one plan only.');
  const resource = await trial.make();
  const exchange = await trial.changePlan(resource.id, other);
  const { reply } = exchange;
  if (hasStatus(reply, 422) && reply.kind === 'answered' && isObject(reply.json)) {
    if (typeof reply.json.message !== 'string')
      throw new Violation('It was refused with 422, but without a "message" for the customer.', [exchange]);
    trial.warn(`The change to ${other} was refused: no change of plans was seen to work.`);
    return;
  }
  if (!isSuccess(reply))
    throw new Violation(`The change to ${other} ended with ${outcomeOf(reply)}.`, [exchange]);
  const config = configIn(reply);
  if (config === undefined) return;
  trial.session.mask.hide(...Object.values(isObject(config) ? config : {}));
  const fault = faultOfConfigShape(config) ?? faultOfConfigNames(config, trial.facts.configVars);
  if (fault !== null) throw new Violation(fault, [exchange]);
}
