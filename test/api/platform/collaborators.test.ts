import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import type { AddonBody, AppBody, CollaboratorBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

interface Person {
  api: Api;
  email: string;
  id: string;
}

async function person(): Promise<Person> {
  const api = await world.newAccount();
  const { email, id } = ok(await api.get<{ email: string; id: string }>('/account'));
  return { api, email, id };
}

const invite = (owner: Person, app: string, user: string) =>
  owner.api.post<CollaboratorBody>(`/apps/${app}/collaborators`, { user });

const roles = async (api: Api, app: string) =>
  ok(await api.get<CollaboratorBody[]>(`/apps/${app}/collaborators`)).map(({ role, user }) => [
    role,
    user.email,
  ]);

describe('collaborators', () => {
  it('are added by e-mail address or id, listed behind the owner, and removed', async () => {
    const [owner, first, second] = [await person(), await person(), await person()];
    const app = await world.newApp(owner.api);
    const made = await invite(owner, app.name, first.email.toUpperCase());
    assert.equal(made.status, 201);
    assert.deepEqual(
      { role: made.body.role, user: made.body.user, app: made.body.app },
      {
        role: 'collaborator',
        user: { id: first.id, email: first.email, federated: false },
        app: { id: app.id, name: app.name },
      },
    );
    ok(await invite(owner, app.id, second.id));
    const all = [
      ['owner', owner.email],
      ['collaborator', first.email],
      ['collaborator', second.email],
    ];
    assert.deepEqual(await roles(owner.api, app.name), all);
    assert.deepEqual(await roles(first.api, app.name), all);
    ok(await owner.api.delete(`/apps/${app.name}/collaborators/${encodeURIComponent(first.email)}`));
    ok(await owner.api.delete(`/apps/${app.name}/collaborators/${second.id}`));
    assert.deepEqual(await roles(owner.api, app.name), all.slice(0, 1));
    const actions = await world.database.query<{ action: string; actor_name: string }>(
      `SELECT action, actor_name FROM audit_events WHERE app_id = $1 AND action LIKE 'collaborator.%' ORDER BY id`,
      [app.id],
    );
    assert.deepEqual(
      actions.map(({ action, actor_name }) => [action, actor_name]),
      ['added', 'added', 'removed', 'removed'].map((what) => [`collaborator.${what}`, owner.email]),
    );
  });

  it('cannot be nobody, the owner, or the same one twice; the owner cannot be removed', async () => {
    const [owner, guest, stranger] = [await person(), await person(), await person()];
    const app = await world.newApp(owner.api);
    const path = `/apps/${app.name}/collaborators`;
    assertRefused(await invite(owner, app.name, 'nobody@souk.test'), 422, 'collaborator_unknown');
    assertRefused(await invite(owner, app.name, app.id), 422, 'collaborator_unknown');
    assertRefused(await owner.api.post(path, {}), 422, 'invalid_params');
    assertRefused(await invite(owner, app.name, owner.email), 422, 'collaborator_exists');
    ok(await invite(owner, app.name, guest.email));
    assertRefused(await invite(owner, app.name, guest.email), 422, 'collaborator_exists');
    for (const identity of [owner.email, owner.id]) {
      assertRefused(await owner.api.delete(`${path}/${identity}`), 422, 'owner_not_removable');
      assertRefused(await guest.api.delete(`${path}/${identity}`), 422, 'owner_not_removable');
    }
    assertRefused(await owner.api.delete(`${path}/${stranger.email}`), 404, 'not_found');
    assertRefused(await stranger.api.get(path), 404, 'not_found');
    assertRefused(await stranger.api.post(path, { user: stranger.email }), 404, 'not_found');
    assertRefused(await stranger.api.delete(`${path}/${stranger.email}`), 404, 'not_found');
  });

  it('may do everything with the app but destroy or rename it, or say who else may use it', async () => {
    const [owner, guest, other] = [await person(), await person(), await person()];
    const app = await world.newApp(owner.api);
    ok(await invite(owner, app.name, guest.email));
    ok(await invite(owner, app.name, other.email));
    const { api } = guest;
    const shown = ok(await api.get<AppBody>(`/apps/${app.name}`));
    assert.deepEqual(shown.owner, { id: owner.id, email: owner.email });
    assert.deepEqual(ok(await api.get<AppBody[]>('/apps')), [shown]);
    ok(await api.patch(`/apps/${app.name}`, { maintenance: true }));
    assert.equal(
      ok(await api.patch<Record<string, string>>(`/apps/${app.name}/config-vars`, { A: '1' })).A,
      '1',
    );
    const addon = await world.addAddon(app.name, 'pg:mini', api);
    assert.equal(ok(await api.get<AddonBody>(`/addons/${addon.name}`)).id, addon.id);
    assert.deepEqual(
      ok(await api.get<AddonBody[]>('/addons')).map(({ id }) => id),
      [addon.id],
    );
    assert.equal(ok(await api.get<unknown[]>('/addon-attachments')).length, 1);
    // The owner pays, whoever asked for it.
    const [period] = await world.database.query<{ account_id: string }>(
      'SELECT account_id FROM addon_owner_periods WHERE addon_id = $1',
      [addon.id],
    );
    assert.equal(period?.account_id, owner.id);
    ok(await api.delete(`/apps/${app.name}/addons/${addon.name}`));
    assertRefused(await api.patch(`/apps/${app.name}`, { name: 'mine-now' }), 403, 'owner_only');
    assertRefused(await api.delete(`/apps/${app.name}`), 403, 'owner_only');
    assertRefused(
      await api.post(`/apps/${app.name}/collaborators`, { user: other.email }),
      403,
      'owner_only',
    );
    assertRefused(await api.delete(`/apps/${app.name}/collaborators/${other.email}`), 403, 'owner_only');
    assert.equal(ok(await owner.api.get<AppBody>(`/apps/${app.name}`)).name, app.name);
  });

  it('who lose access see nothing from that moment on, and may leave by themselves', async () => {
    const [owner, guest] = [await person(), await person()];
    const app = await world.newApp(owner.api);
    const addon = await world.addAddon(app.name, 'pg:mini', owner.api);
    ok(await invite(owner, app.name, guest.email));
    const paths = [
      `/apps/${app.name}`,
      `/apps/${app.id}/config-vars`,
      `/apps/${app.name}/releases`,
      `/apps/${app.name}/releases/1/config-vars`,
      `/apps/${app.name}/addons`,
      `/apps/${app.name}/addons/${addon.name}`,
      `/apps/${app.name}/addons/${addon.name}/sso`,
      `/apps/${app.name}/addon-attachments`,
      `/apps/${app.name}/addon-attachments/DATABASE`,
      `/apps/${app.name}/collaborators`,
      `/apps/${app.name}/dynos`,
      `/addons/${addon.id}`,
      `/addons/${addon.id}/notices`,
      `/addons/${addon.id}/addon-attachments`,
    ];
    for (const path of paths) assert.equal((await guest.api.get(path)).status, 200, path);
    ok(await guest.api.delete(`/apps/${app.name}/collaborators/${guest.email}`));
    for (const path of paths) assertRefused(await guest.api.get(path), 404, 'not_found');
    for (const path of ['/apps', '/addons', '/addon-attachments'])
      assert.deepEqual(ok(await guest.api.get(path)), [], path);
    assertRefused(await guest.api.patch(`/apps/${app.name}/config-vars`, { A: '1' }), 404, 'not_found');
    assertRefused(await guest.api.delete(`/apps/${app.name}/addons/${addon.name}`), 404, 'not_found');
    for (const [route, body] of [
      ['/actions/addons/resolve', { addon: addon.name }],
      ['/actions/addons/resolve', { addon: 'pg' }],
      ['/actions/addon-attachments/resolve', { addon_attachment: addon.name }],
      ['/actions/addon-attachments/resolve', { addon_attachment: `${app.name}::DATABASE` }],
    ] as const)
      assertRefused(await guest.api.post(route, body), 404, 'not_found');
  });

  it('of one account are made once by many who try at the same time, and removed once', async () => {
    const [owner, guest] = [await person(), await person()];
    const app = await world.newApp(owner.api);
    const added = await Promise.all(Array.from({ length: 6 }, () => invite(owner, app.name, guest.email)));
    assert.deepEqual(added.map(({ status }) => status).sort(), [201, 422, 422, 422, 422, 422]);
    const path = `/apps/${app.name}/collaborators/${guest.email}`;
    const removed = await Promise.all(Array.from({ length: 6 }, () => owner.api.delete(path)));
    assert.deepEqual(removed.map(({ status }) => status).sort(), [200, 404, 404, 404, 404, 404]);
    assert.equal((await guest.api.get(`/apps/${app.name}`)).status, 404);
  });
});
