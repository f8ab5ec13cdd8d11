import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import { Partner, type ConfigVar } from '../../support/partner-client.js';
import type { AddonBody, AppBody, ReleaseBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

let world: World;
let app: AppBody;
let second: AppBody;
let addon: AddonBody;
let partner: Partner;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());
beforeEach(async () => {
  app = await world.newApp();
  second = await world.newApp();
  addon = await world.addAddon(app.name);
  partner = await Partner.of(world, addon.id);
});

const config = async () => ok(await partner.api.get<ConfigVar[]>(`/addons/${addon.id}/config`));
const vars = async (name: string) =>
  ok(await world.api.get<Record<string, string>>(`/apps/${name}/config-vars`));
const releases = async (name: string) => ok(await world.api.get<ReleaseBody[]>(`/apps/${name}/releases`));

/** Puts the add-on on another app, as the tables have it. */
async function attachTo(target: AppBody): Promise<void> {
  await world.database.query(
    `INSERT INTO attachments (id, addon_id, app_id, name, created_at, updated_at)
     VALUES (gen_random_uuid(), $1, $2, 'SHARED', now(), now())`,
    [addon.id, target.id],
  );
}

describe("an add-on's config, to its provider", () => {
  it('is a list under its own names, and each read is audited', async () => {
    assert.deepEqual(await config(), [
      { name: 'PG_POOL_URL', value: `postgres://localhost:2/${addon.id}` },
      { name: 'PG_URL', value: `postgres://user-${addon.id}:secret-${addon.id}@localhost:1/db` },
    ]);
    const [read] = await world.database.query<{ actor_kind: string; actor_name: string }>(
      "SELECT actor_kind, actor_name FROM audit_events WHERE action = 'addon.config_read' AND subject_id = $1",
      [addon.id],
    );
    assert.deepEqual(read, { actor_kind: 'provider', actor_name: 'pg' });
  });

  it('is changed with one release on each app that has it, in which only the changed names differ', async () => {
    await attachTo(second);
    const [before, beforeSecond] = [await releases(app.name), await releases(second.name)];
    const answer = ok(
      await partner.setConfig([
        { name: 'PG_URL', value: 'postgres://rotated' },
        { name: 'PG_POOL_URL', value: null },
      ]),
    );
    assert.deepEqual(answer, [{ name: 'PG_URL', value: 'postgres://rotated' }]);
    assert.deepEqual(await config(), answer);
    assert.deepEqual(await vars(app.name), { DATABASE_URL: 'postgres://rotated' });
    assert.deepEqual(await vars(second.name), { SHARED_URL: 'postgres://rotated' });
    for (const [name, old] of [
      [app.name, before],
      [second.name, beforeSecond],
    ] as const) {
      const now = await releases(name);
      assert.equal(now.length, old.length + 1);
      const newest = now.find(({ current }) => current);
      assert.match(newest?.description ?? '', /^Update (DATABASE|SHARED) \(@ref:/);
      assert.equal(newest?.user.email, 'pg');
    }
    const newest = (await releases(app.name)).find(({ current }) => current);
    assert.deepEqual(newest?.changes, { set: ['DATABASE_URL'], unset: ['DATABASE_POOL_URL'] });
  });

  it('makes no release when nothing changes', async () => {
    const before = (await releases(app.name)).length;
    const same = await config();
    assert.deepEqual(ok(await partner.setConfig(same)), same);
    assert.deepEqual(ok(await partner.setConfig([])), same);
    assert.equal((await releases(app.name)).length, before);
  });

  it('by many at once makes gapless releases, and the last one has what is stored', async () => {
    const values = Array.from({ length: 10 }, (_, index) => `postgres://${index}`);
    for (const answer of await Promise.all(
      values.map((value) => partner.setConfig([{ name: 'PG_URL', value }])),
    ))
      ok(answer);
    const stored = (await config()).find(({ name }) => name === 'PG_URL')?.value;
    assert.equal((await vars(app.name)).DATABASE_URL, stored);
    const versions = (await releases(app.name)).map(({ version }) => version).sort((a, b) => a - b);
    assert.deepEqual(
      versions,
      versions.map((_, index) => index + 1),
    );
  });

  it('takes no name that the manifest lacks, and then nothing of the request', async () => {
    const before = await config();
    assertRefused(
      await partner.setConfig([
        { name: 'PG_URL', value: 'x' },
        { name: 'OTHER_URL', value: 'y' },
      ]),
      422,
      'config_var_undeclared',
    );
    assert.deepEqual(await config(), before);
  });

  it.each([
    ['no list', {}],
    ['a value of another type', { config: [{ name: 'PG_URL', value: 7 }] }],
    ['no value', { config: [{ name: 'PG_URL' }] }],
    ['no name', { config: [{ value: 'x' }] }],
  ])('with %s is refused', async (_case, body) => {
    assertRefused(await partner.api.patch(`/addons/${addon.id}/config`, body), 422, 'invalid_params');
  });
});
