import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import { Partner } from '../../support/partner-client.js';
import type { AddonBody, AppBody, AttachmentBody, CollaboratorBody } from '../../support/resources.js';
import { sharingIn } from '../../support/sharing.js';
import { World } from '../../support/world.js';
import { RouteInventory } from '../../../src/api/shared/route-inventory.js';

let world: World;
let app: AppBody;
let other: AppBody;
let addon: AddonBody;
let neighbour: AddonBody;
let elsewhere: AddonBody;
let partner: Partner;
beforeAll(async () => {
  world = await World.start();
  app = await world.newApp();
  other = await world.newApp();
  addon = await world.addAddon(app.name);
  neighbour = await world.addAddon(app.name);
  elsewhere = await world.addAddon(other.name);
  partner = await Partner.of(world, addon.id);
});
afterAll(() => world.stop());

const list = async <T>(path: string) => ok(await partner.api.get<T[]>(path));

describe("a provider's token", () => {
  it('reads its add-on by id, by name and by the slug of the service', async () => {
    for (const identity of [addon.id, addon.name, 'pg']) {
      const shown = ok(await partner.api.get<AddonBody>(`/addons/${identity}`));
      assert.equal(shown.id, addon.id);
      // The customers' own: a ticket, and what they are told.
      const own = ok(await world.api.get<AddonBody & { notices: unknown }>(`/addons/${addon.id}`));
      const { notices: _notices, ...rest } = own;
      assert.deepEqual(shown, { ...rest, web_url: null });
    }
  });

  it('sees one add-on, and the app that has it with what of that is its own', async () => {
    const ids = (items: { id: string }[]) => items.map(({ id }) => id);
    assert.deepEqual(ids(await list<AddonBody>('/addons')), [addon.id]);
    assert.deepEqual(ids(await list<AddonBody>(`/apps/${app.name}/addons`)), [addon.id]);
    assert.deepEqual(ids(await list<AppBody>('/apps')), [app.id]);
    const shown = ok(await partner.api.get<AppBody>(`/apps/${app.id}`));
    assert.equal(shown.owner.email, 'operator@souk.test');
    for (const path of [`/addons/pg/addon-attachments`, `/apps/${app.name}/addon-attachments`]) {
      const [attachment, ...more] = await list<AttachmentBody>(path);
      assert.deepEqual(more, []);
      assert.deepEqual([attachment?.name, attachment?.addon.id], ['DATABASE', addon.id]);
      const path_ = `/apps/${app.name}/addon-attachments/${attachment?.name}`;
      assert.equal(ok(await partner.api.get<AttachmentBody>(path_)).id, attachment?.id);
    }
  });

  it('finds nothing else, whoever has it', async () => {
    for (const path of [
      `/addons/${neighbour.id}`,
      `/addons/${neighbour.name}`,
      `/addons/${elsewhere.id}`,
      `/addons/${neighbour.id}/config`,
      `/addons/${neighbour.id}/addon-attachments`,
      `/apps/${other.id}`,
      `/apps/${other.name}/addons`,
      `/apps/${other.name}/addon-attachments`,
      `/apps/${other.id}/collaborators`,
      `/apps/${other.name}/collaborators`,
      `/apps/${app.name}/addon-attachments/PG_BLUE`,
    ])
      assertRefused(await partner.api.get(path), 404, 'not_found');
    assertRefused(
      await partner.api.patch(`/addons/${neighbour.id}/config`, { config: [] }),
      404,
      'not_found',
    );
    for (const what of ['provision', 'deprovision'])
      assertRefused(await partner.api.post(`/addons/${neighbour.id}/actions/${what}`), 404, 'not_found');
  });

  it('sees who uses the apps that have its add-on, in the shape that accounts see, and only while they have it', async () => {
    const people = sharingIn(() => world);
    const { home, away, addon: own, attachment } = await people.shared();
    const guest = ok(await (await world.newAccount()).get<{ email: string }>('/account'));
    ok(await world.api.post(`/apps/${away.name}/collaborators`, { user: guest.email }));
    const provider = await Partner.of(world, own.id);
    const path = `/apps/${away.id}/collaborators`;
    const shown = ok(await provider.api.get<CollaboratorBody[]>(path));
    assert.deepEqual(
      shown.map(({ role, user }) => [role, user.email]),
      [
        ['owner', 'operator@souk.test'],
        ['collaborator', guest.email],
      ],
    );
    assert.deepEqual(shown, ok(await world.api.get<CollaboratorBody[]>(path)));
    const atHome = ok(await provider.api.get<CollaboratorBody[]>(`/apps/${home.name}/collaborators`));
    assert.deepEqual(
      atHome.map(({ role, app: { id } }) => [role, id]),
      [['owner', home.id]],
    );
    // The neighbour's token is as good, and for other apps.
    assertRefused(await partner.api.get(path), 404, 'not_found');
    ok(await world.api.delete(`/addon-attachments/${attachment.id}`));
    assertRefused(await provider.api.get(path), 404, 'not_found');
  });

  it('sees who uses an app, and changes nothing of it', async () => {
    const path = `/apps/${app.name}/collaborators`;
    const before = ok(await world.api.get<CollaboratorBody[]>(path));
    const user = ok(await (await world.newAccount()).get<{ email: string }>('/account')).email;
    assertRefused(await partner.api.post(path, { user }), 401, 'unauthorized');
    assertRefused(await partner.api.delete(`${path}/operator@souk.test`), 401, 'unauthorized');
    assert.deepEqual(ok(await world.api.get<CollaboratorBody[]>(path)), before);
  });

  it('ends with the add-on: then nobody is shown to it any more', async () => {
    const gone = await world.newApp();
    const short = await world.addAddon(gone.name);
    const provider = await Partner.of(world, short.id);
    ok(await provider.api.get(`/apps/${gone.id}/collaborators`));
    ok(await world.api.delete(`/apps/${gone.id}/addons/${short.id}`));
    assertRefused(await provider.api.get(`/apps/${gone.id}/collaborators`), 410, 'gone');
  });

  it("opens no route of accounts, operators or a provider's password", async () => {
    const routes = world.broker.app.get(RouteInventory).list();
    const own = new Set(
      routes.filter(({ access }) => access?.kind === 'addon').map(({ method, path }) => `${method} ${path}`),
    );
    assert.equal(own.size, 13, [...own].join(', '));
    const closed = routes.filter(
      ({ access, method, path }) => access?.kind !== 'public' && !own.has(`${method} ${path}`),
    );
    assert.ok(closed.length > 30);
    for (const { method, path } of closed) {
      const address = path.replace(':app', app.id).replace(':addon', addon.id).replace(/:\w+/g, 'x');
      const body = ['POST', 'PATCH', 'PUT'].includes(method) ? {} : undefined;
      assertRefused(await partner.api.send(method, address, body, {}), 401, 'unauthorized');
    }
  });

  it('opens nothing when it was made up, or when it is an account’s', async () => {
    for (const token of ['soukp_made-up', 'soukp_'])
      for (const path of ['/addons', '/apps', `/apps/${app.id}/collaborators`, `/addons/${addon.id}/config`])
        assertRefused(
          await world.anonymous.get(path, { authorization: `Bearer ${token}` }),
          401,
          'unauthorized',
        );
    assertRefused(await world.api.get(`/addons/${addon.id}/config`), 401, 'unauthorized');
    assertRefused(await world.api.post(`/addons/${addon.id}/actions/provision`), 401, 'unauthorized');
    for (const token of [partner.tokens.refresh_token])
      assertRefused(
        await world.anonymous.get('/addons', { authorization: `Bearer ${token}` }),
        401,
        'unauthorized',
      );
  });
});
