import { hasStatus, isSuccess, outcomeOf } from '../exchange.js';
import type { Rule } from '../rule.js';
import { Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, deprovision';

export const DEPROVISION_RULES: readonly Rule[] = [
  {
    id: 'deprovision',
    title: 'A deprovision is answered with 2xx',
    source: SOURCE,
    mend: 'Delete the resource and answer 200 or 204. Anything else makes the platform ask again, without an end.',
    needs: MADE,
    run: async (trial) => {
      const resource = await trial.make();
      const exchange = await trial.deprovision(resource.uuid, resource.id);
      if (!isSuccess(exchange.reply))
        throw new Violation(`It ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
    },
  },
  {
    id: 'deprovision-repeat',
    title: 'A deprovision that is repeated is answered with 2xx, 404 or 410',
    source: SOURCE,
    mend: 'Answer 410 (or 404) for what is already gone. Another status keeps the platform asking for ever.',
    needs: [...MADE, 'deprovision'],
    run: async (trial) => {
      const resource = await trial.make();
      const first = await trial.deprovision(resource.uuid, resource.id);
      const second = await trial.deprovision(resource.uuid, resource.id);
      if (!isSuccess(second.reply) && !hasStatus(second.reply, 404, 410))
        throw new Violation(`The repeat ended with ${outcomeOf(second.reply)}.`, [first, second]);
    },
  },
  {
    id: 'provision-after-deprovision',
    title: 'A uuid that was deprovisioned is never provisioned again',
    source: `${SOURCE}; provision: 410`,
    mend: 'Remember the uuids that you deleted, and answer their provision with 410: it is a late repeat, and nobody would ever delete what it makes.',
    needs: [...MADE, 'deprovision'],
    run: async (trial) => {
      const resource = await trial.make();
      const gone = await trial.deprovision(resource.uuid, resource.id);
      const late = await trial.provisionPatiently(resource.uuid);
      const { reply } = late;
      if (reply.kind !== 'answered' || reply.status < 400 || reply.status >= 500)
        throw new Violation(`Expected 410; it ended with ${outcomeOf(reply)}.`, [gone, late]);
      if (reply.status !== 410)
        trial.warn(
          `It was refused with ${reply.status}; 410 says most clearly that the uuid is not to be tried again.`,
        );
    },
  },
];
