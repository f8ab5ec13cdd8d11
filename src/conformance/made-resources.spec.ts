import assert from 'node:assert/strict';
import { it } from 'vitest';
import type { Reply } from './exchange.js';
import { MadeResources } from './made-resources.js';

const answer = (status: number, json?: unknown): Reply => ({
  kind: 'answered',
  status,
  text: '',
  json,
  retryAfterSeconds: null,
});
const idsOf = (made: MadeResources) => made.list().map(({ ids }) => [...ids]);

function provision(made: MadeResources, uuid: string, reply: Reply | null): void {
  made.sending(uuid);
  made.answered(uuid, reply);
}

it('remembers each id that a uuid got, until its delete is confirmed', () => {
  const made = new MadeResources();
  provision(made, 'u', answer(200, { id: '1' }));
  provision(made, 'u', answer(200, { id: '2' }));
  made.deleted('u', '1', answer(500), made.momentOf('u'));
  assert.deepEqual(idsOf(made), [['1', '2']]);
  made.deleted('u', '1', answer(204), made.momentOf('u'));
  assert.deepEqual(idsOf(made), [['2']]);
  made.deleted('u', '2', answer(410), made.momentOf('u'));
  assert.deepEqual(made.list(), []);
});

it('does not believe a delete that a provision overtook', () => {
  const made = new MadeResources();
  provision(made, 'u', answer(200, { id: '1' }));
  const moment = made.momentOf('u');
  made.sending('u');
  made.deleted('u', '1', answer(204), moment);
  made.answered('u', answer(200, { id: '1' }));
  made.deleted('u', '1', answer(204), moment);
  assert.deepEqual(idsOf(made), [['1']]);
});

it.each<[Reply | null, boolean]>([
  [null, true],
  [{ kind: 'unanswered', why: 'reset' }, true],
  [answer(500), true],
  [answer(302), true],
  [answer(200, {}), true],
  [answer(422), false],
  [answer(401), false],
])('after %j something may be there: %s', (reply, unsure) => {
  const made = new MadeResources();
  provision(made, 'u', reply);
  assert.equal(made.list().length === 1, unsure);
});

it('knows when the provider takes uuids for ids', () => {
  const made = new MadeResources();
  provision(made, 'u', answer(200, { id: 'own' }));
  assert.equal(made.idsAreUuids, false);
  provision(made, 'v', answer(200, { id: 'V' }));
  assert.equal(made.idsAreUuids, true);
});
