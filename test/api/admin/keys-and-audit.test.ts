import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ok } from '../../support/api.js';
import { until } from '../../support/until.js';
import { World } from '../../support/world.js';
import { SECRET_COLUMNS } from '../../../src/encryption/reencrypt.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

interface Step {
  key_id: string;
  moved: number;
  left: number;
}

async function keyIds(): Promise<string[]> {
  const ids = await Promise.all(
    SECRET_COLUMNS.map(({ table, keyId }) =>
      world.database.query<{ id: string }>(
        `SELECT DISTINCT ${keyId} AS id FROM ${table} WHERE ${keyId} IS NOT NULL`,
      ),
    ),
  );
  return [...new Set(ids.flat().map(({ id }) => id))].sort();
}

describe('rotating keys', () => {
  it('moves every secret under the new key in steps, while everything stays readable and writable', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name, 'pg:mini', world.api, { config: { secret: 'option' } });
    for (let index = 0; index < 700; index += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, offset) =>
          world.api.patch(`/apps/${app.name}/config-vars`, { [`V${index + offset}`]: 'x' }),
        ),
      );
    const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
    const before = await vars();
    let step = ok(await world.api.post<Step>('/admin/keys/rotate', { new_key: true }));
    assert.ok(step.left > 0, 'more than one step is needed');
    assert.deepEqual(await keyIds(), ['k1', 'k2']);
    assert.deepEqual(await vars(), before);
    while (step.left > 0) step = ok(await world.api.post<Step>('/admin/keys/rotate', {}));
    assert.deepEqual(await keyIds(), ['k2']);
    assert.deepEqual(await vars(), before);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    const ring = join(world.config.home, 'keyring');
    assert.equal(statSync(ring).mode & 0o777, 0o600);
    assert.equal(readFileSync(ring, 'utf8').trim().split('\n').length, 2);
  }, 120_000);

  it('does not open a ciphertext that was moved to another row', async () => {
    const [mine, theirs] = [await world.newApp(), await world.newApp()];
    for (const app of [mine, theirs])
      ok(await world.api.patch(`/apps/${app.name}/config-vars`, { OWNER: app.name }));
    await world.database.query(
      `UPDATE release_environments e SET ciphertext = o.ciphertext, key_id = o.key_id FROM release_environments o
       WHERE e.app_id = $1 AND o.app_id = $2 AND e.version = 2 AND o.version = 2`,
      [mine.id, theirs.id],
    );
    const answer = await world.api.get<{ id: string }>(`/apps/${mine.name}/config-vars`);
    assert.equal(answer.status, 500);
    assert.equal(answer.body.id, 'internal_error');
  });
});

describe('the audit trail', () => {
  const verify = async () =>
    ok(await world.api.get<{ ok: boolean; sealed: number; at?: string }>('/admin/audit/verify'));
  const sealed = () =>
    until(async () => {
      await world.walkRounds();
      assert.deepEqual(await world.database.query('SELECT 1 FROM audit_events WHERE seal_seq IS NULL'), []);
    });

  it('stays whole when a later version of Souk adds a column to its table', async () => {
    await world.newApp();
    await sealed();
    await world.database.query("ALTER TABLE audit_events ADD COLUMN later text DEFAULT 'new'");
    assert.equal((await verify()).ok, true);
    await world.newApp();
    await sealed();
    assert.equal((await verify()).ok, true);
    await world.database.query('ALTER TABLE audit_events DROP COLUMN later');
    assert.equal((await verify()).ok, true);
  });

  it('is the chain that the whole row gave while the table was new', async () => {
    await sealed();
    const [row] = await world.database.query<{ hash: Buffer; body: string }>(
      "SELECT seal_hash AS hash, (to_jsonb(e) - 'seal_seq' - 'seal_hash')::text AS body FROM audit_events e WHERE seal_seq = 1",
    );
    const hash = createHash('sha256')
      .update(Buffer.alloc(32))
      .update('1\n')
      .update(row?.body ?? '')
      .digest();
    assert.ok(row?.hash.equals(hash));
  });

  it('is a chain that shows a change, a removal and a swap', async () => {
    await world.newApp();
    await sealed();
    assert.equal((await verify()).ok, true);
    // Only somebody who switches the guards of the table off gets that far.
    const tamper = async (sql: string) => {
      await world.database.query(
        `ALTER TABLE audit_events DISABLE TRIGGER USER; ${sql}; ALTER TABLE audit_events ENABLE TRIGGER USER`,
      );
    };
    await tamper("UPDATE audit_events SET actor_name = 'somebody else' WHERE seal_seq = 3");
    assert.equal((await verify()).ok, false);
    await tamper(
      'UPDATE audit_events SET actor_name = (SELECT actor_name FROM audit_events WHERE seal_seq = 2) WHERE seal_seq = 3',
    );
    await tamper('DELETE FROM audit_events WHERE seal_seq = 4');
    assert.equal((await verify()).ok, false);
  });

  it('cannot be changed by a mere UPDATE or DELETE', async () => {
    await sealed();
    await assert.rejects(world.database.query("UPDATE audit_events SET action = 'nothing'"));
    await assert.rejects(world.database.query('DELETE FROM audit_events'));
    await assert.rejects(world.database.query('TRUNCATE audit_events'));
  });
});
