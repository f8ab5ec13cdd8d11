import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import type { AppBody, ReleaseBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

describe('apps', () => {
  it('are made, listed, shown, renamed and destroyed', async () => {
    const api = await world.newAccount();
    const made = await api.post<AppBody>('/apps', { name: 'life-of-an-app' });
    assert.equal(made.status, 201);
    assert.equal(ok(await api.get<AppBody>('/apps/life-of-an-app')).id, made.body.id);
    assert.equal(ok(await api.get<AppBody>(`/apps/${made.body.id}`)).name, 'life-of-an-app');
    assert.deepEqual(
      ok(await api.get<AppBody[]>('/apps')).map(({ name }) => name),
      ['life-of-an-app'],
    );
    assert.deepEqual(
      ok(await api.get<AppBody[]>('/users/~/apps')).map(({ name }) => name),
      ['life-of-an-app'],
    );
    ok(await api.patch('/apps/life-of-an-app', { name: 'renamed-app' }));
    assert.equal(ok(await api.get<AppBody>('/apps/renamed-app')).id, made.body.id);
    assert.equal((await api.get('/apps/life-of-an-app')).status, 404);
    ok(await api.delete('/apps/renamed-app'));
    assertRefused(await api.get('/apps/renamed-app'), 404, 'not_found');
    assert.deepEqual(ok(await api.get<AppBody[]>('/apps')), []);
  });

  it('get a name where none is given, and their first release', async () => {
    const app = await world.newApp();
    assert.match(app.name, /^[a-z]+-[a-z]+-\d+$/);
    const releases = ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
    assert.deepEqual(
      releases.map(({ version, description, current }) => ({ version, description, current })),
      [{ version: 1, description: 'Initial release', current: true }],
    );
  });

  it('refuse names that cannot be, and names that are taken', async () => {
    await world.newApp(world.api, 'taken-name');
    assertRefused(await world.api.post('/apps', { name: 'taken-name' }), 422, 'app_name_taken');
    for (const name of ['Shop', 'x', '-shop', 'shop-', 'a'.repeat(31), 'sh op', 'shöp', '1shop'])
      assertRefused(await world.api.post('/apps', { name }), 422, 'app_name_invalid');
    const other = await world.newApp();
    assertRefused(
      await world.api.patch(`/apps/${other.name}`, { name: 'taken-name' }),
      422,
      'app_name_taken',
    );
  });

  it('refuse what no name and no field can be, and change nothing', async () => {
    const app = await world.newApp();
    const path = `/apps/${app.name}`;
    assertRefused(await world.api.patch(path, { name: null }), 422, 'invalid_params');
    assertRefused(await world.api.patch(path, { maintenance: null }), 422, 'invalid_params');
    assertRefused(await world.api.get('/apps/%00'), 400, 'bad_request');
    assertRefused(await world.api.post(`${path}/addons`, { plan: 'pg\0:mini' }), 400, 'bad_request');
    assert.equal(ok(await world.api.get<AppBody>(path)).name, app.name);
  });

  it("does not show one account's app to another, in any call", async () => {
    const app = await world.newApp(world.api, 'private-app');
    const stranger = await world.newAccount();
    for (const identity of [app.name, app.id]) {
      assertRefused(await stranger.get(`/apps/${identity}`), 404, 'not_found');
      assertRefused(await stranger.patch(`/apps/${identity}`, { name: 'mine-now' }), 404, 'not_found');
      assertRefused(await stranger.delete(`/apps/${identity}`), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${identity}/config-vars`), 404, 'not_found');
      assertRefused(await stranger.patch(`/apps/${identity}/config-vars`, { A: '1' }), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${identity}/releases`), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${identity}/releases/1`), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${identity}/releases/1/config-vars`), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${identity}/addons`), 404, 'not_found');
      assertRefused(await stranger.post(`/apps/${identity}/addons`, { plan: 'pg:mini' }), 404, 'not_found');
    }
    assert.equal(ok(await world.api.get<AppBody>('/apps/private-app')).id, app.id);
    assert.equal(ok(await world.api.get<ReleaseBody[]>('/apps/private-app/releases')).length, 1);
  });

  it('are listed in pages by Range and Next-Range', async () => {
    const api = await world.newAccount();
    const names = ['page-a', 'page-b', 'page-c', 'page-d', 'page-e'];
    for (const name of names) await world.newApp(api, name);
    const seen: string[] = [];
    let range: string | null = 'name ..; max=2';
    while (range !== null) {
      const page: Awaited<ReturnType<typeof api.get<AppBody[]>>> = await api.get<AppBody[]>('/apps', {
        range,
      });
      assert.ok(page.status === 200 || page.status === 206);
      assert.equal(page.status, page.headers.has('next-range') ? 206 : 200);
      seen.push(...page.body.map(({ name }) => name));
      range = page.headers.get('next-range');
    }
    assert.deepEqual(seen, names);
    assertRefused(await api.get('/apps', { range: 'colour ..' }), 416, 'invalid_range');
  });

  it('of one name are made once by many who try at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => world.api.post('/apps', { name: 'contended' })),
    );
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      assertRefused(answer, 422, 'app_name_taken');
  });
});
