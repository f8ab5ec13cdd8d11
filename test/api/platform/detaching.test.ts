import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import { FailingOnce } from '../../support/failing-once.js';
import type { AddonBody, AppBody, AttachmentBody } from '../../support/resources.js';
import { sharingIn } from '../../support/sharing.js';
import { World } from '../../support/world.js';

let world: World;
const crashes = new FailingOnce();
beforeAll(async () => {
  world = await World.start({ crashPoints: crashes });
});
afterAll(() => world.stop());

const { attach, vars, releases, names, shared } = sharingIn(() => world);

describe('detaching', () => {
  it('takes the config vars off that app by one release, and leaves the add-on alive', async () => {
    const { home, away, addon, attachment } = await shared();
    const gone = ok(await world.api.delete<AttachmentBody>(`/addon-attachments/${attachment.id}`));
    assert.equal(gone.id, attachment.id);
    assert.deepEqual(await vars(away.name), {});
    assert.deepEqual(
      (await releases(away.name)).map(({ description }) => description),
      [`Attach DATABASE (@ref:${addon.name})`, `Detach DATABASE (@ref:${addon.name})`],
    );
    assert.equal((await releases(home.name)).length, 1);
    assertRefused(await world.api.delete(`/addon-attachments/${attachment.id}`), 404, 'not_found');
    assertRefused(await world.api.get(`/addon-attachments/${attachment.id}`), 404, 'not_found');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
    // The name is free again.
    ok(await world.api.patch(`/apps/${away.name}/config-vars`, { DATABASE_URL: 'mine' }));
  });

  it('of the last one leaves an add-on that is charged for, found by its name, and attachable again', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const found = await world.api.get<AttachmentBody>(`/apps/${app.name}/addon-attachments/DATABASE`);
    ok(await world.api.delete(`/addon-attachments/${ok(found).id}`));
    const alive = ok(await world.api.get<AddonBody>(`/apps/${app.name}/addons/${addon.name}`));
    assert.deepEqual([alive.state, alive.config_vars], ['provisioned', []]);
    const open = await world.database.query(
      'SELECT 1 FROM addon_plan_periods WHERE addon_id = $1 AND ended_at IS NULL',
      [addon.id],
    );
    assert.equal(open.length, 1);
    assert.equal(ok(await attach(addon.name, app.name)).name, 'DATABASE');
    assert.ok((await vars(app.name)).DATABASE_URL?.includes(addon.id));
    const twin = await world.addAddon(app.name);
    ok(await world.api.delete(`/apps/${app.name}/addons/${twin.name}`));
  });

  it('by many at once happens once', async () => {
    const { away, attachment } = await shared();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => world.api.delete(`/addon-attachments/${attachment.id}`)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404, 404, 404, 404]);
    assert.equal((await releases(away.name)).length, 2);
  });

  it('while the app changes its config, and the add-on is destroyed, leaves every version in its place', async () => {
    const { home, away, addon, attachment } = await shared();
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, (_, index) =>
        world.api.patch(`/apps/${away.name}/config-vars`, { [`V${index}`]: '1' }),
      ),
      world.api.delete(`/addon-attachments/${attachment.id}`),
      world.api.delete(`/apps/${home.name}/addons/${addon.name}`, { force: true }),
    ]);
    assert.ok(answers.every(({ status }) => status < 300 || status === 404));
    assert.deepEqual(Object.keys(await vars(away.name)).sort(), ['V0', 'V1', 'V2', 'V3']);
    const made = await releases(away.name);
    assert.deepEqual(
      made.map(({ version }) => version),
      made.map((_, index) => index + 2),
    );
    assert.equal(made.filter(({ description }) => description.startsWith('Detach')).length, 1);
  });
});

describe('the end of what is shared', () => {
  it('asks for a confirmation that names the other apps, then leaves each with one release', async () => {
    const { home, away, addon } = await shared();
    ok(await attach(addon.name, away.name, { name: 'TWICE' }));
    const path = `/apps/${home.name}/addons/${addon.name}`;
    for (const body of [undefined, { force: false }, { confirm: 'another' }]) {
      const asked = await world.api.delete(path, body);
      assertRefused(asked, 423, 'confirmation_required');
      assert.ok((asked.body as { message: string }).message.includes(away.name));
    }
    assert.equal(ok(await world.api.get<AddonBody>(path)).state, 'provisioned');
    const counts = [(await releases(home.name)).length, (await releases(away.name)).length];
    ok(await world.api.delete(path, { force: true }));
    assert.deepEqual(await vars(away.name), {});
    assert.deepEqual(
      [(await releases(home.name)).length, (await releases(away.name)).length],
      counts.map((count) => count + 1),
    );
    await world.runUntilQuiet();
    assert.ok(!world.provider.liveResources().includes(addon.id));
  });

  it('needs no confirmation for more names on its own app; the app confirms by its name as well', async () => {
    const { home, addon } = await shared();
    const alone = await world.newApp();
    const own = await world.addAddon(alone.name);
    ok(await attach(own.name, alone.name, { name: 'MORE' }));
    ok(await world.api.delete(`/apps/${alone.name}/addons/${own.name}`));
    ok(await world.api.delete(`/apps/${home.name}/addons/${addon.name}`, { confirm: home.name }));
  });

  it('of an app is asked about too, and takes off what it had borrowed', async () => {
    const { home, away, addon } = await shared();
    assertRefused(await world.api.delete(`/apps/${home.name}`), 423, 'confirmation_required');
    assert.equal(ok(await world.api.get<AppBody>(`/apps/${home.name}`)).id, home.id);
    const borrower = await world.newApp();
    ok(await attach(addon.name, borrower.name));
    ok(await world.api.delete(`/apps/${borrower.name}`));
    assert.equal(ok(await world.api.get<unknown[]>(`/addons/${addon.id}/addon-attachments`)).length, 2);
    ok(await world.api.delete(`/apps/${home.name}`, { force: true }));
    assert.deepEqual(await vars(away.name), {});
    assert.equal((await releases(away.name)).length, 2);
    await world.runUntilQuiet();
    assert.ok(!world.provider.liveResources().includes(addon.id));
    const held = await world.database.query(
      'SELECT 1 FROM reserved_config_vars WHERE app_id = ANY($1::uuid[])',
      [[home.id, away.id, borrower.id]],
    );
    assert.deepEqual(held, []);
  });

  it('of two apps that share with one another, at the same time, ends both', async () => {
    const [one, two] = [await world.newApp(), await world.newApp()];
    const [left, right] = [await world.addAddon(one.name), await world.addAddon(two.name)];
    ok(await attach(left.name, two.name));
    ok(await attach(right.name, one.name));
    const answers = await Promise.all(
      [one, two].map(({ name }) => world.api.delete(`/apps/${name}`, { force: true })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    await world.runUntilQuiet();
    for (const { id } of [left, right]) assert.ok(!world.provider.liveResources().includes(id));
  });
});

describe('a process that dies at a commit of attaching and detaching', () => {
  for (const when of ['before_commit', 'after_commit'])
    it(`${when}: asking again ends in the same`, async () => {
      const [home, away] = [await world.newApp(), await world.newApp()];
      const addon = await world.addAddon(home.name);
      crashes.at = `attachment.create.${when}`;
      assert.equal((await attach(addon.name, away.name, { name: 'X' })).status, 500);
      assert.equal((await names(away.name)).length, when === 'before_commit' ? 0 : 1);
      const { id } = ok(await attach(addon.name, away.name, { name: 'X' }));
      assert.equal((await releases(away.name)).length, 1);
      crashes.at = `attachment.delete.${when}`;
      assert.equal((await world.api.delete(`/addon-attachments/${id}`)).status, 500);
      const again = await world.api.delete(`/addon-attachments/${id}`);
      assert.equal(again.status, when === 'before_commit' ? 200 : 404);
      assert.equal((await releases(away.name)).length, 2);
      assert.deepEqual(await vars(away.name), {});
    });
});
