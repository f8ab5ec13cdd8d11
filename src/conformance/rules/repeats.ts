import { randomUUID } from 'node:crypto';
import { hasStatus, isSuccess, outcomeOf, type Exchange } from '../exchange.js';
import { idIn } from '../judge-provision.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { comparable, MADE } from './provision.js';

const AT_ONCE = 6;
const SOURCE = 'Partner API v3, delivery at least once: idempotent by uuid';

export const REPEAT_RULES: readonly Rule[] = [
  {
    id: 'repeat-same-id',
    title: 'A provision that is repeated gives the same resource',
    source: SOURCE,
    mend: 'Keep a unique constraint on the uuid, and answer a known uuid with the id that it already has.',
    needs: MADE,
    run: async (trial) => {
      const first = await trial.make();
      await requireSame(trial, first.uuid, first.id, first.exchange);
    },
  },
  {
    id: 'repeat-same-config',
    title: 'A provision that is repeated gives the same config vars',
    source: SOURCE,
    mend: 'Keep the credentials (encrypted) and answer a repeat with them. New ones would break apps that have the first.',
    needs: [...MADE, 'config-strings', 'repeat-same-id'],
    run: async (trial) => {
      const first = await trial.make();
      if (first.exchange.reply.kind === 'answered' && first.exchange.reply.status === 202)
        throw new NotApplicable('The provider answers 202 and sends config vars by itself.');
      if (first.config === undefined) throw new NotApplicable('The provider gave no config vars.');
      const second = await trial.make(first.uuid);
      if (comparable(first.config) !== comparable(second.config))
        throw new Violation('The same uuid got other config vars the second time.', [
          first.exchange,
          second.exchange,
        ]);
    },
  },
  {
    id: 'distinct-ids',
    title: 'Two resources have two ids',
    source: 'Partner API v3, provision: id is unique for each resource',
    mend: 'Take the uuid as the id, or one from a sequence in your database; never a constant or a count.',
    needs: MADE,
    run: async (trial) => {
      const [one, other] = [await trial.make(), await trial.make()];
      if (one.id === other.id)
        throw new Violation(`Two uuids got the same id ${one.id}.`, [one.exchange, other.exchange]);
    },
  },
  {
    id: 'concurrent-duplicates',
    title: 'The same provision many times at once makes one resource',
    source: SOURCE,
    mend: 'Let the database decide: insert the uuid under a unique constraint, and read what is there when it exists. Looking first and inserting then is a race.',
    needs: [...MADE, 'repeat-same-id'],
    run: concurrentDuplicates,
  },
];

async function concurrentDuplicates(trial: Trial): Promise<void> {
  const uuid = randomUUID();
  const exchanges = await Promise.all(Array.from({ length: AT_ONCE }, () => trial.provision(uuid)));
  const made = exchanges.filter(({ reply }) => isSuccess(reply));
  const ids = new Set(made.map(({ reply }) => idIn(reply)));
  if (ids.size > 1)
    throw new Violation(`${AT_ONCE} equal provisions at once got ${ids.size} different ids.`, made);
  // To be busy with the first is an answer, too; the platform comes again.
  const odd = exchanges.filter(
    ({ reply }) => !isSuccess(reply) && !hasStatus(reply, 408, 409, 423, 425, 429, 503),
  );
  if (odd.length > 0)
    throw new Violation(
      `Of ${AT_ONCE} equal provisions at once ${odd.length} ended with something else than success or "busy" (409, 423, 425, 429, 503).`,
      odd,
    );
  const [first] = made;
  const id = first === undefined ? null : idIn(first.reply);
  if (first !== undefined) await trial.settle(uuid, first);
  await requireSame(trial, uuid, id, first);
}

/** A further repeat succeeds, with this id where one is known. Gives the id. */
export async function requireSame(
  trial: Trial,
  uuid: string,
  id: string | null,
  ...before: (Exchange | undefined)[]
): Promise<string> {
  const known = before.filter((one): one is Exchange => one !== undefined);
  const again = await trial.provisionPatiently(uuid);
  const given = idIn(again.reply);
  if (!isSuccess(again.reply) || given === null)
    throw new Violation(
      `The repeat ended with ${outcomeOf(again.reply)}${isSuccess(again.reply) ? ' and no id' : ''}.`,
      [...known, again],
    );
  if (id !== null && given !== id)
    throw new Violation(`The same uuid got the id ${given} after ${id}.`, [...known, again]);
  return given;
}
