import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import type { AddonBody, AttachmentBody } from '../../support/resources.js';
import { sharingIn } from '../../support/sharing.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const { attach, vars, releases, names, shared } = sharingIn(() => world);

async function account(): Promise<{ api: Api; email: string }> {
  const api = await world.newAccount();
  return { api, email: ok(await api.get<{ email: string }>('/account')).email };
}

describe('attaching an add-on to a second app', () => {
  it('brings its values there under the new name, by one release, and asks the provider nothing', async () => {
    const [home, away] = [await world.newApp(), await world.newApp()];
    const addon = await world.addAddon(home.name);
    const calls = world.provider.calls.length;
    const made = await attach(addon.name, away.name, { name: 'reports' });
    assert.equal(made.status, 201);
    assert.deepEqual(
      { name: made.body.name, addon: made.body.addon, app: made.body.app },
      {
        name: 'REPORTS',
        addon: { id: addon.id, name: addon.name, app: { id: home.id, name: home.name } },
        app: { id: away.id, name: away.name },
      },
    );
    const there = await vars(home.name);
    assert.deepEqual(await vars(away.name), {
      REPORTS_URL: there.DATABASE_URL,
      REPORTS_POOL_URL: there.DATABASE_POOL_URL,
    });
    assert.deepEqual(
      (await releases(away.name)).map(({ description, changes, addon_plan_names }) => ({
        description,
        changes,
        addon_plan_names,
      })),
      [
        {
          description: `Attach REPORTS (@ref:${addon.name})`,
          changes: { set: ['REPORTS_URL', 'REPORTS_POOL_URL'], unset: [] },
          addon_plan_names: ['pg:mini'],
        },
      ],
    );
    assert.equal((await releases(home.name)).length, 1);
    assert.equal(world.provider.calls.length, calls);
    const audit = await world.database.query(
      `SELECT 1 FROM audit_events WHERE action = 'attachment.created' AND app_id = $1`,
      [away.id],
    );
    assert.equal(audit.length, 1);
  });

  it('takes ids and plain texts, and gives default names: the first one, then colours', async () => {
    const { addon, away, attachment } = await shared();
    assert.equal(attachment.name, 'DATABASE');
    const second = ok(
      await world.api.post<AttachmentBody>('/addon-attachments', { addon: addon.id, app: away.id }),
    );
    assert.match(second.name, /^PG_[A-Z]+$/);
    assert.deepEqual(Object.keys(await vars(away.name)).length, 4);
    assert.equal((await releases(away.name)).length, 2);
  });

  it('is seen in every list and look-up of both apps', async () => {
    const { home, away, addon, attachment } = await shared({ name: 'SHARED' });
    for (const app of [home.name, away.name]) {
      assert.deepEqual(
        ok(await world.api.get<AddonBody[]>(`/apps/${app}/addons`)).map(({ id }) => id),
        [addon.id],
      );
      assert.equal(
        ok(await world.api.get<AddonBody>(`/apps/${app}/addons/${addon.name}`)).app.name,
        home.name,
      );
      assert.equal(
        ok(await world.api.post<AddonBody[]>('/actions/addons/resolve', { addon: 'pg', app }))[0]?.id,
        addon.id,
      );
    }
    assert.deepEqual(await names(away.name), ['SHARED']);
    assert.deepEqual(
      ok(await world.api.get<AttachmentBody[]>(`/addons/${addon.id}/addon-attachments`)).map(
        ({ app, name }) => [app.name, name],
      ),
      [
        [home.name, 'DATABASE'],
        [away.name, 'SHARED'],
      ],
    );
    const found = await world.api.get<AttachmentBody>(`/apps/${away.name}/addon-attachments/shared`);
    assert.equal(ok(found).id, attachment.id);
    assert.equal(
      ok(await world.api.get<AttachmentBody>(`/addon-attachments/${attachment.id}`)).name,
      'SHARED',
    );
    const resolved = await world.api.post<AttachmentBody[]>('/actions/addon-attachments/resolve', {
      addon_attachment: 'SHARED_URL',
      app: away.name,
    });
    assert.deepEqual(
      ok(resolved).map(({ id }) => id),
      [attachment.id],
    );
    assert.deepEqual(ok(await world.api.get<AddonBody>(`/addons/${addon.id}`)).config_vars, [
      'DATABASE_URL',
      'DATABASE_POOL_URL',
    ]);
  });

  it('waits for the values of an add-on that is still being created', async () => {
    const [home, away] = [await world.newApp(), await world.newApp()];
    world.provider.onProvision({ status: 500 });
    const addon = await world.addAddon(home.name);
    assert.equal(addon.state, 'provisioning');
    ok(await attach(addon.name, away.name, { name: 'LATER' }));
    assert.deepEqual(await releases(away.name), []);
    assertRefused(
      await world.api.patch(`/apps/${away.name}/config-vars`, { LATER_URL: 'mine' }),
      422,
      'config_var_reserved',
    );
    await world.runUntilQuiet();
    assert.equal(Object.keys(await vars(away.name)).length, 2);
    assert.equal((await releases(away.name)).length, 1);
    assert.equal((await releases(home.name)).length, 1);
  });

  it('is refused once the add-on is to be destroyed, also while it is still being created', async () => {
    const [home, away] = [await world.newApp(), await world.newApp()];
    world.provider.onProvision({ status: 500 });
    const addon = await world.addAddon(home.name);
    ok(await world.api.delete(`/apps/${home.name}/addons/${addon.name}`));
    assertRefused(await attach(addon.name, away.name), 422, 'operation_in_flight');
    await world.runUntilQuiet();
    assert.deepEqual(await releases(away.name), []);
  });

  it('is refused where names or services do not allow it, before anything changes', async () => {
    const { home, away, addon } = await shared({ name: 'TAKEN' });
    ok(await world.api.patch(`/apps/${away.name}/config-vars`, { MINE_URL: 'mine' }));
    const before = await vars(away.name);
    const refused = async (body: object, status: number, id: string) =>
      assertRefused(await world.api.post('/addon-attachments', body), status, id);
    const both = { addon: addon.name, app: away.name };
    await refused({ ...both, name: 'MINE' }, 422, 'config_var_taken');
    await refused({ ...both, name: 'MINE', confirm: away.name }, 422, 'config_var_taken');
    await refused({ ...both, name: '1X' }, 422, 'attachment_name_invalid');
    await refused({ ...both, namespace: 'credential:reader' }, 422, 'namespace_unknown');
    await refused({ ...both, addon: {} }, 422, 'invalid_params');
    await refused({ app: away.name }, 422, 'invalid_params');
    await refused({ ...both, addon: 'no-such-addon' }, 404, 'not_found');
    await refused({ ...both, app: 'no-such-app' }, 404, 'not_found');
    ok(await world.api.delete(`/apps/${home.name}/addons/${addon.name}`, { force: true }));
    await refused({ ...both, name: 'GONE' }, 404, 'not_found');
    assert.deepEqual(await vars(away.name), { MINE_URL: before.MINE_URL });
  });

  it('needs a service that is attachable, and many_per_app for the second of one', async () => {
    const manifest = world.provider.manifest();
    const requiring = (requires: string[]) =>
      world.importManifest({ api: { ...(manifest.api as object), requires } });
    const [home, away] = [await world.newApp(), await world.newApp()];
    const [addon, other] = [await world.addAddon(home.name), await world.addAddon(away.name)];
    try {
      await requiring(['many_per_app']);
      assertRefused(await attach(addon.name, away.name), 422, 'not_attachable');
      // Another name on its own app shares it with nobody.
      assert.equal(ok(await attach(addon.name, home.name, { name: 'SECOND' })).name, 'SECOND');
      await requiring(['attachable']);
      assertRefused(await attach(addon.name, away.name), 422, 'one_per_app');
      ok(await world.api.delete(`/apps/${away.name}/addons/${other.name}`));
      ok(await attach(addon.name, away.name));
      ok(await attach(addon.name, away.name, { name: 'AGAIN' }));
      assertRefused(await world.api.post(`/apps/${away.name}/addons`, { plan: 'pg' }), 422, 'one_per_app');
    } finally {
      await world.importManifest();
    }
  });

  it('replaces an attachment of the same name only when confirmed, in one release', async () => {
    const app = await world.newApp();
    const [first, second] = [await world.addAddon(app.name), await world.addAddon(app.name)];
    const before = await vars(app.name);
    const asked = await attach(second.name, app.name, { name: 'DATABASE' });
    assertRefused(asked, 423, 'confirmation_required');
    assert.ok((asked.body as unknown as { message: string }).message.includes(first.name));
    assertRefused(
      await attach(second.name, app.name, { name: 'DATABASE', confirm: 'another-app' }),
      423,
      'confirmation_required',
    );
    assert.deepEqual(await vars(app.name), before);
    const count = (await releases(app.name)).length;
    ok(await attach(second.name, app.name, { name: 'DATABASE', confirm: app.name }));
    const after = await vars(app.name);
    assert.ok(after.DATABASE_URL?.includes(second.id));
    assert.equal(
      Object.values(after).some((value) => value.includes(first.id)),
      false,
    );
    const made = (await releases(app.name)).slice(count);
    assert.deepEqual(
      made.map(({ description }) => description),
      [`Detach DATABASE (@ref:${first.name}), Attach DATABASE (@ref:${second.name})`],
    );
    assert.equal(ok(await world.api.get<AddonBody>(`/addons/${first.name}`)).state, 'provisioned');
    // Once more is no change.
    ok(await attach(second.name, app.name, { name: 'DATABASE' }));
    assert.equal((await releases(app.name)).length, count + 1);
  });

  it('needs access to both apps; who has the attached one alone can use it, but not share or destroy it', async () => {
    const [owner, guest] = [await account(), await account()];
    const home = await world.newApp(owner.api);
    const addon = await world.addAddon(home.name, 'pg:mini', owner.api);
    const [theirs, mine] = [await world.newApp(guest.api), await world.newApp(owner.api)];
    assertRefused(await attach(addon.name, theirs.name, {}, owner.api), 404, 'not_found');
    assertRefused(await attach(addon.name, theirs.name, {}, guest.api), 404, 'not_found');
    ok(await guest.api.post(`/apps/${theirs.name}/collaborators`, { user: owner.email }));
    ok(await attach(addon.name, theirs.name, { name: 'LENT' }, owner.api));
    ok(await attach(addon.name, mine.name, { name: 'SECRETLY' }, owner.api));

    assert.equal((await vars(theirs.name, guest.api)).LENT_URL?.includes(addon.id), true);
    assert.deepEqual(
      ok(await guest.api.get<AddonBody[]>('/addons')).map(({ id }) => id),
      [addon.id],
    );
    assert.deepEqual(
      ok(await guest.api.get<AttachmentBody[]>(`/addons/${addon.id}/addon-attachments`)).map(
        ({ name }) => name,
      ),
      ['LENT'],
    );
    assertRefused(await guest.api.get(`/apps/${home.name}`), 404, 'not_found');
    const other = await world.newApp(guest.api);
    assertRefused(await attach(addon.name, other.name, {}, guest.api), 403, 'addon_of_another_app');
    assertRefused(
      await guest.api.delete(`/apps/${theirs.name}/addons/${addon.name}`, { force: true }),
      403,
      'addon_of_another_app',
    );
    assertRefused(await guest.api.delete(`/apps/${home.name}/addons/${addon.name}`), 404, 'not_found');
    const all = ok(await owner.api.get<AttachmentBody[]>('/addon-attachments'));
    assert.deepEqual(all.map(({ name }) => name).sort(), ['DATABASE', 'LENT', 'SECRETLY']);
    const secretly = all.find(({ name }) => name === 'SECRETLY');
    assertRefused(await guest.api.get(`/addon-attachments/${secretly?.id}`), 404, 'not_found');
    assertRefused(await guest.api.delete(`/addon-attachments/${secretly?.id}`), 404, 'not_found');
    // Whose add-on it is can take it back from an app that they may use no more.
    ok(await guest.api.delete(`/apps/${theirs.name}/collaborators/${owner.email}`));
    const lent = all.find(({ name }) => name === 'LENT');
    assert.equal(ok(await owner.api.delete<AttachmentBody>(`/addon-attachments/${lent?.id}`)).name, 'LENT');
    assert.deepEqual(await vars(theirs.name, guest.api), {});
    assertRefused(await guest.api.get(`/addons/${addon.id}`), 404, 'not_found');
  });

  it('under one name by many at once makes one attachment and one release', async () => {
    const [home, away] = [await world.newApp(), await world.newApp()];
    const addon = await world.addAddon(home.name);
    const same = await Promise.all(
      Array.from({ length: 8 }, () => attach(addon.name, away.name, { name: 'ONE' })),
    );
    assert.equal(new Set(same.map((answer) => ok(answer).id)).size, 1);
    assert.equal((await releases(away.name)).length, 1);
    const rivals = [await world.addAddon(home.name), await world.addAddon(home.name)];
    const answers = await Promise.all(rivals.map(({ name }) => attach(name, away.name, { name: 'TWO' })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 423]);
    assert.equal((await releases(away.name)).length, 2);
  });
});
