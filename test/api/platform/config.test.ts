import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, ok } from '../../support/api.js';
import type { ReleaseBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

type Vars = Record<string, string>;

async function vars(app: string, api: Api = world.api): Promise<Vars> {
  return ok(await api.get<Vars>(`/apps/${app}/config-vars`));
}

async function releases(app: string): Promise<ReleaseBody[]> {
  return ok(await world.api.get<ReleaseBody[]>(`/apps/${app}/releases`));
}

describe('config vars', () => {
  it('are set, changed and unset, each time with one release that names what changed', async () => {
    const { name } = await world.newApp();
    const path = `/apps/${name}/config-vars`;
    assert.deepEqual(ok(await world.api.patch(path, { A: 'one', B: 'two' })), { A: 'one', B: 'two' });
    assert.deepEqual(ok(await world.api.patch(path, { B: 'three', C: '' })), { A: 'one', B: 'three', C: '' });
    assert.deepEqual(ok(await world.api.patch(path, { A: null })), { B: 'three', C: '' });
    assert.deepEqual(await vars(name), { B: 'three', C: '' });
    const made = await releases(name);
    assert.deepEqual(
      made.map(({ version, description, changes, current, user }) => ({
        version,
        description,
        changes,
        current,
        by: user.email,
      })),
      [
        {
          version: 1,
          description: 'Initial release',
          changes: { set: [], unset: [] },
          current: false,
          by: 'operator@souk.test',
        },
        {
          version: 2,
          description: 'Set A, B config vars',
          changes: { set: ['A', 'B'], unset: [] },
          current: false,
          by: 'operator@souk.test',
        },
        {
          version: 3,
          description: 'Set B, C config vars',
          changes: { set: ['B', 'C'], unset: [] },
          current: false,
          by: 'operator@souk.test',
        },
        {
          version: 4,
          description: 'Remove A config var',
          changes: { set: [], unset: ['A'] },
          current: true,
          by: 'operator@souk.test',
        },
      ],
    );
  });

  it('can be read as they were in each release', async () => {
    const { name } = await world.newApp();
    await world.api.patch(`/apps/${name}/config-vars`, { A: 'old' });
    await world.api.patch(`/apps/${name}/config-vars`, { A: 'new' });
    for (const [version, expected] of [
      ['1', {}],
      ['2', { A: 'old' }],
      ['v3', { A: 'new' }],
    ] as const)
      assert.deepEqual(ok(await world.api.get(`/apps/${name}/releases/${version}/config-vars`)), expected);
    assertRefused(await world.api.get(`/apps/${name}/releases/9`), 404, 'not_found');
  });

  it('make no release when nothing changes', async () => {
    const { name } = await world.newApp();
    await world.api.patch(`/apps/${name}/config-vars`, { A: '1' });
    await world.api.patch(`/apps/${name}/config-vars`, { A: '1', NOT_THERE: null });
    assert.equal((await releases(name)).length, 2);
  });

  it('keep every kind of text as it is', async () => {
    const { name } = await world.newApp();
    const values = {
      UNICODE: 'Grüße 🌍\u2028',
      LINES: 'a\nb\r\nc\t',
      QUOTES: `"'\\$(x)`,
      LONG: 'x'.repeat(20_000),
      _x1: 'y',
      SPACE: ' ',
    };
    ok(await world.api.patch(`/apps/${name}/config-vars`, values));
    assert.deepEqual(await vars(name), values);
  });

  it('refuse bad names, bad values and too much, with nothing changed', async () => {
    const { name } = await world.newApp();
    const path = `/apps/${name}/config-vars`;
    ok(await world.api.patch(path, { KEEP: 'me' }));
    for (const bad of ['1A', 'A-B', 'A B', '', 'Ä', 'A=B', 'A\n'])
      assertRefused(await world.api.patch(path, { GOOD: '1', [bad]: 'x' }), 422, 'config_name_invalid');
    for (const bad of [1, true, {}, [], 'a\u0000b'])
      assertRefused(await world.api.patch(path, { GOOD: '1', A: bad }), 422, 'config_value_invalid');
    assertRefused(await world.api.patch(path, { BIG: 'x'.repeat(2 * 1024 * 1024) }), 422, 'config_too_large');
    assertRefused(await world.api.patch(path, { BIG: 'x'.repeat(5 * 1024 * 1024) }), 413, 'body_too_large');
    assertRefused(await world.api.patch(path, '{"A":'), 400, 'bad_request');
    assertRefused(await world.api.patch(path, '["A"]'), 422, 'invalid_params');
    assertRefused(await world.api.patch(path, '{"__proto__":"x"}'), 400, 'bad_request');
    assertRefused(
      await world.api.patch(path, 'A=1', { 'content-type': 'text/plain' }),
      415,
      'unsupported_media_type',
    );
    assert.deepEqual(await vars(name), { KEEP: 'me' });
    assert.equal((await releases(name)).length, 2);
  });

  it('of many writers at once make gapless releases, and none is lost', async () => {
    const { name } = await world.newApp();
    const writers = Array.from({ length: 25 }, (_, index) => index);
    for (const answer of await Promise.all(
      writers.map((index) => world.api.patch(`/apps/${name}/config-vars`, { [`VAR_${index}`]: `${index}` })),
    ))
      ok(answer);
    assert.equal(Object.keys(await vars(name)).length, writers.length);
    assert.deepEqual(
      (await releases(name)).map(({ version }) => version),
      Array.from({ length: writers.length + 1 }, (_, index) => index + 1),
    );
  });

  it('that an add-on sets cannot be set or unset by hand', async () => {
    const { name } = await world.newApp();
    await world.addAddon(name);
    const before = await vars(name);
    assertRefused(
      await world.api.patch(`/apps/${name}/config-vars`, { DATABASE_URL: 'mine' }),
      422,
      'config_var_reserved',
    );
    assertRefused(
      await world.api.patch(`/apps/${name}/config-vars`, { DATABASE_URL: null }),
      422,
      'config_var_reserved',
    );
    assert.deepEqual(await vars(name), before);
  });

  it('are nowhere in the database in the clear', async () => {
    const { name } = await world.newApp();
    ok(await world.api.patch(`/apps/${name}/config-vars`, { TOKEN: 'needle-in-the-haystack' }));
    const tables = await world.database.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    );
    assert.ok(tables.length > 10);
    for (const table of tables) {
      const rows = await world.database.query(
        `SELECT 1 FROM "${table.name}" t WHERE t::text LIKE '%needle%' OR t::text LIKE '%' || encode('needle', 'hex') || '%'`,
      );
      assert.equal(rows.length, 0, `${table.name} holds it in the clear`);
    }
  });

  it('are told by a change only to who may read them, and then the read is audited', async () => {
    const { name, id } = await world.newApp();
    const path = `/apps/${name}/config-vars`;
    ok(await world.api.patch(path, { KNOWN: 'secret' }));
    const made = ok(
      await world.api.post<{ access_token: { token: string } }>('/oauth/authorizations', {
        scope: ['config:write'],
      }),
    );
    const writer = new Api(world.config.publicUrl, made.access_token.token);
    assert.deepEqual(ok(await writer.patch(path, {})), {});
    assert.deepEqual(ok(await writer.patch(path, { MINE: 'one' })), { MINE: 'one' });
    const reads = async () =>
      (
        await world.database.query(
          "SELECT 1 FROM audit_events WHERE app_id = $1 AND action = 'config.read'",
          [id],
        )
      ).length;
    const before = await reads();
    assert.deepEqual(ok(await world.api.patch(path, {})), { KNOWN: 'secret', MINE: 'one' });
    assert.equal(await reads(), before + 1);
  });

  it('leave an audit row for each change and read, without values', async () => {
    const { name, id } = await world.newApp();
    ok(await world.api.patch(`/apps/${name}/config-vars`, { AUDITED: 'secret-value' }));
    await vars(name);
    const rows = await world.database.query<{ action: string; details: unknown }>(
      'SELECT action, details FROM audit_events WHERE app_id = $1 ORDER BY id',
      [id],
    );
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['app.created', 'release.created', 'release.created', 'config.read'],
    );
    assert.doesNotMatch(JSON.stringify(rows), /secret-value/);
  });
});
