import assert from 'node:assert/strict';
import { afterAll, beforeAll, it } from 'vitest';
import { AuditChain } from '../../../src/audit/audit-chain.js';
import { World } from '../../support/world.js';

/** Without a worker, so that nobody else seals. */
let world: World;
beforeAll(async () => {
  world = await World.start({ role: 'api' });
});
afterAll(() => world.stop());

it('one call seals however much has gathered, and the chain is whole', async () => {
  await world.database.query(
    `INSERT INTO audit_events (at, actor_kind, actor_name, action, subject_kind, subject_id)
     SELECT now(), 'system', 'souk', 'test.row', 'test', n::text FROM generate_series(1, 2500) n`,
  );
  const chain = world.broker.app.get(AuditChain);
  const sealed = await chain.seal();
  assert.ok(sealed >= 2_500, `${sealed}`);
  assert.deepEqual(await world.database.query('SELECT 1 FROM audit_events WHERE seal_seq IS NULL'), []);
  assert.deepEqual(await chain.verify(), { ok: true, sealed });
  assert.equal(await chain.seal(), 0);
});
