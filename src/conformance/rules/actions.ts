import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isSuccess, outcomeOf } from '../exchange.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Souk, actions';

/** An action that needs no params: the tester cannot guess what others make sense with. */
function actionOf({ facts }: Trial): string {
  const [action] = facts.actions;
  if (action === undefined)
    throw new NotApplicable(
      facts.hasActions
        ? 'Every action of the manifest needs params, which the tester cannot guess.'
        : 'The manifest declares no actions.',
    );
  return action;
}

export const ACTION_RULES: readonly Rule[] = [
  {
    id: 'action-run',
    title: 'An action that the manifest declares is answered with 200, in the end',
    source: SOURCE,
    mend: 'Answer POST base_url/:id/actions/:name with 200 and {"result": …}. While the work goes on answer 202: the same run is asked for again.',
    needs: MADE,
    run: async (trial) => {
      const action = actionOf(trial);
      const resource = await trial.make();
      const exchange = await trial.runActionPatiently(resource.id, action, randomUUID());
      if (!isSuccess(exchange.reply) || (exchange.reply.kind === 'answered' && exchange.reply.status === 202))
        throw new Violation(`The action ${action} ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
    },
  },
  {
    id: 'action-repeat',
    title: 'A run that is asked for again under the same id is answered the same',
    source: SOURCE,
    mend: 'Remember the id of each run with its result, and give that result again: an answer may have been lost, and the action must not be carried out twice.',
    needs: [...MADE, 'action-run'],
    run: async (trial) => {
      const action = actionOf(trial);
      const resource = await trial.make();
      const run = randomUUID();
      const first = await trial.runActionPatiently(resource.id, action, run);
      const second = await trial.runActionPatiently(resource.id, action, run);
      if (!isSuccess(second.reply) || !isDeepStrictEqual(jsonOf(first), jsonOf(second)))
        throw new Violation(`The repeat of ${action} ended with ${outcomeOf(second.reply)}.`, [
          first,
          second,
        ]);
    },
  },
  {
    id: 'action-unknown',
    title: 'An action that the manifest does not declare is refused with 4xx',
    source: SOURCE,
    mend: 'Answer 404 for a name that you do not know. A success would be shown to the customer as one.',
    needs: MADE,
    run: async (trial) => {
      if (!trial.facts.hasActions) throw new NotApplicable('The manifest declares no actions.');
      const resource = await trial.make();
      const exchange = await trial.runAction(resource.id, 'souk-test.undeclared', randomUUID());
      const { reply } = exchange;
      if (reply.kind !== 'answered' || reply.status < 400 || reply.status >= 500)
        throw new Violation(`Expected 404; it ended with ${outcomeOf(reply)}.`, [exchange]);
    },
  },
];

function jsonOf({ reply }: Awaited<ReturnType<Trial['runAction']>>): unknown {
  return reply.kind === 'answered' ? reply.json : undefined;
}
