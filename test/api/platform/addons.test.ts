import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import type { AddonBody, AttachmentBody, ReleaseBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

async function vars(app: string): Promise<Record<string, string>> {
  return ok(await world.api.get<Record<string, string>>(`/apps/${app}/config-vars`));
}

describe('creating an add-on', () => {
  it('gives it provisioned, with its config vars in the app by one release', async () => {
    const app = await world.newApp();
    const answer = await world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini' });
    const addon = ok(answer);
    assert.equal(answer.status, 201);
    assert.equal(addon.state, 'provisioned');
    assert.deepEqual(addon.config_vars, ['DATABASE_URL', 'DATABASE_POOL_URL']);
    assert.equal(addon.provision_message, 'Your database is ready.');
    assert.equal(addon.provider_id, addon.id);
    const config = await vars(app.name);
    assert.equal(config.DATABASE_URL, `postgres://user-${addon.id}:secret-${addon.id}@localhost:1/db`);
    assert.equal(config.DATABASE_POOL_URL, `postgres://localhost:2/${addon.id}`);
    const releases = ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
    assert.deepEqual(
      releases
        .map(({ description, changes, addon_plan_names }) => ({ description, changes, addon_plan_names }))
        .slice(1),
      [
        {
          description: `Attach DATABASE (@ref:${addon.name})`,
          changes: { set: ['DATABASE_URL', 'DATABASE_POOL_URL'], unset: [] },
          addon_plan_names: ['pg:mini'],
        },
      ],
    );
  });

  it('sends the provider what the Add-on Partner API v3 says', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name, 'pg:std', world.api, {
      config: { version: '17', ha: true },
    });
    const call = world.provider.calls.find(({ id }) => id === addon.id);
    assert.equal(call?.headers.accept, 'application/vnd.heroku-addons+json; version=3');
    assert.equal(
      call?.headers.authorization,
      `Basic ${Buffer.from('pg:partner-password').toString('base64')}`,
    );
    assert.equal(call?.headers['content-type'], 'application/json');
    const { oauth_grant: _grant, ...body } = call?.body ?? {};
    assert.deepEqual(body, {
      uuid: addon.id,
      name: addon.name,
      plan: 'std',
      region: 'amazon-web-services::us-east-1',
      callback_url: `${world.config.publicUrl}/addons/${addon.id}`,
      options: { version: '17', ha: 'true' },
    });
  });

  it('takes the default plan where only the service is named, and the plan as an object', async () => {
    const app = await world.newApp();
    assert.equal((await world.addAddon(app.name, 'pg')).plan.name, 'pg:mini');
    const asObject = await world.api.post<AddonBody>(`/apps/${app.name}/addons`, {
      plan: { name: 'pg:free' },
    });
    assert.equal(ok(asObject).plan.name, 'pg:free');
  });

  it('attaches the first as DATABASE and further ones under colours', async () => {
    const app = await world.newApp();
    const [first, second, third] = [
      await world.addAddon(app.name),
      await world.addAddon(app.name),
      await world.addAddon(app.name),
    ];
    assert.equal(first?.config_vars[0], 'DATABASE_URL');
    for (const addon of [second, third]) assert.match(addon?.config_vars[0] ?? '', /^PG_[A-Z]+_URL$/);
    assert.notEqual(second?.config_vars[0], third?.config_vars[0]);
    const attachments = ok(await world.api.get<AttachmentBody[]>(`/apps/${app.name}/addon-attachments`));
    assert.equal(attachments.length, 3);
  });

  it('leaves a DATABASE_URL alone that the user has set', async () => {
    const app = await world.newApp();
    await world.api.patch(`/apps/${app.name}/config-vars`, { DATABASE_URL: 'mine' });
    const addon = await world.addAddon(app.name);
    assert.match(addon.config_vars[0] ?? '', /^PG_[A-Z]+_URL$/);
    assert.equal((await vars(app.name)).DATABASE_URL, 'mine');
  });

  it('takes a name and an attachment name', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name, 'pg:mini', world.api, {
      name: 'orders-db',
      attachment: { name: 'orders' },
    });
    assert.equal(addon.name, 'orders-db');
    assert.deepEqual(addon.config_vars, ['ORDERS_URL', 'ORDERS_POOL_URL']);
    assert.equal(ok(await world.api.get<AddonBody>('/addons/orders-db')).id, addon.id);
  });

  it('refuses what cannot be, and then nothing has changed anywhere', async () => {
    const app = await world.newApp();
    const path = `/apps/${app.name}/addons`;
    await world.addAddon(app.name, 'pg:mini', world.api, {
      name: 'taken-addon',
      attachment: { name: 'TAKEN' },
    });
    const before = { config: await vars(app.name), calls: world.provider.calls.length };
    assertRefused(await world.api.post(path, { plan: 'pg:nothing' }), 404, 'not_found');
    assertRefused(await world.api.post(path, { plan: 'nothing:mini' }), 404, 'not_found');
    assertRefused(await world.api.post(path, { plan: 7 }), 422, 'invalid_params');
    assertRefused(await world.api.post(path, {}), 422, 'invalid_params');
    assertRefused(await world.api.post(path), 422, 'invalid_params');
    assertRefused(await world.api.post(path, '{"plan": '), 400, 'bad_request');
    assertRefused(
      await world.api.post(path, { plan: 'pg:mini', name: 'taken-addon' }),
      422,
      'addon_name_taken',
    );
    assertRefused(
      await world.api.post(path, { plan: 'pg:mini', name: '1 bad name' }),
      422,
      'addon_name_invalid',
    );
    assertRefused(
      await world.api.post(path, { plan: 'pg:mini', attachment: { name: 'TAKEN' } }),
      422,
      'attachment_name_taken',
    );
    assertRefused(
      await world.api.post(path, { plan: 'pg:mini', attachment: { name: 'a b' } }),
      422,
      'attachment_name_invalid',
    );
    assertRefused(
      await world.api.post(path, { plan: 'pg:mini', config: { deep: { er: 1 } } }),
      422,
      'options_invalid',
    );
    assertRefused(await world.api.post('/apps/no-such-app/addons', { plan: 'pg:mini' }), 404, 'not_found');
    assertRefused(await world.anonymous.post(path, { plan: 'pg:mini' }), 401, 'unauthorized');
    assert.deepEqual(await vars(app.name), before.config);
    assert.equal(world.provider.calls.length, before.calls);
    assert.equal(ok(await world.api.get<AddonBody[]>(path)).length, 1);
    assert.deepEqual(await world.database.query('SELECT 1 FROM operations WHERE finished_at IS NULL'), []);
  });

  it("refuses a plan outside the app's region", async () => {
    const app = ok(await world.api.post<{ name: string }>('/apps', { region: 'eu' }));
    assertRefused(
      await world.api.post(`/apps/${app.name}/addons`, { plan: 'pg:free' }),
      422,
      'region_unavailable',
    );
  });

  it("shows the provider's refusal in its own words, and charges nothing", async () => {
    const app = await world.newApp();
    world.provider.onProvision({ status: 422, body: { message: 'We are <b>out</b> of disks.' } });
    const answer = await world.api.post<{ message: string }>(`/apps/${app.name}/addons`, {
      plan: 'pg:mini',
      name: 'refused-one',
    });
    assertRefused(answer, 422, 'provider_refused');
    assert.match(answer.body.message, /out.* of disks/);
    assert.doesNotMatch(answer.body.message, /<b>/);
    assert.deepEqual(ok(await world.api.get<AddonBody[]>(`/apps/${app.name}/addons`)), []);
    assert.equal(
      ok(await world.api.get<AddonBody>(`/apps/${app.name}/addons/refused-one`)).state,
      'deprovisioned',
    );
    const charges = await world.database.query(
      "SELECT 1 FROM addon_plan_periods p JOIN addons a ON a.id = p.addon_id WHERE a.name = 'refused-one'",
    );
    assert.deepEqual(charges, []);
    // Deleting what failed is no failure.
    assert.equal(
      ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/refused-one`)).state,
      'deprovisioned',
    );
    // Its names are free again.
    assert.equal(
      (await world.addAddon(app.name, 'pg:mini', world.api, { name: 'refused-one' })).config_vars[0],
      'DATABASE_URL',
    );
  });
});

describe('an add-on', () => {
  it('is found by name, id, attachment, config var and service', async () => {
    const api = await world.newAccount();
    const app = await world.newApp(api);
    const addon = await world.addAddon(app.name, 'pg:mini', api);
    const find = async (identity: string, inApp: string | null = app.name) =>
      ok(await api.post<AddonBody[]>('/actions/addons/resolve', { addon: identity, app: inApp })).map(
        ({ id }) => id,
      );
    for (const identity of [addon.name, addon.id, 'DATABASE', 'database', 'DATABASE_URL', 'pg'])
      assert.deepEqual(await find(identity), [addon.id], identity);
    assert.deepEqual(await find(`${app.name}::DATABASE`, null), [addon.id]);
    const missing = await api.post<{ resource: string }>('/actions/addons/resolve', {
      addon: 'nothing',
      app: app.name,
    });
    assertRefused(missing, 404, 'not_found');
    assert.equal(missing.body.resource, 'add_on');
    const second = await world.addAddon(app.name, 'pg:mini', api);
    assert.deepEqual((await find('pg')).sort(), [addon.id, second.id].sort());
  });

  it('shows whole service and plan where the client asks for it', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const path = `/apps/${app.name}/addons/${addon.name}`;
    const short = ok(await world.api.get<AddonBody>(path));
    assert.deepEqual(Object.keys(short.plan), ['id', 'name']);
    const whole = ok(await world.api.get<AddonBody>(path, { 'accept-expansion': 'addon_service,plan' }));
    assert.equal(whole.plan.price?.cents, 500);
    assert.equal((whole.addon_service as { human_name?: string }).human_name, 'Test Postgres');
  });

  it('is invisible to other accounts, whatever they call', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const stranger = await world.newAccount();
    const own = await world.newApp(stranger);
    for (const identity of [addon.name, addon.id]) {
      assertRefused(await stranger.get(`/addons/${identity}`), 404, 'not_found');
      assertRefused(await stranger.get(`/addons/${identity}/notices`), 404, 'not_found');
      assertRefused(await stranger.get(`/addons/${identity}/addon-attachments`), 404, 'not_found');
      assertRefused(await stranger.get(`/apps/${own.name}/addons/${identity}`), 404, 'not_found');
      assertRefused(await stranger.delete(`/apps/${own.name}/addons/${identity}`), 404, 'not_found');
      assertRefused(await stranger.delete(`/apps/${app.name}/addons/${identity}`), 404, 'not_found');
      assertRefused(await stranger.post('/actions/addons/resolve', { addon: identity }), 404, 'not_found');
      assertRefused(
        await stranger.post('/actions/addon-attachments/resolve', { addon_attachment: identity }),
        404,
        'not_found',
      );
    }
    assert.deepEqual(ok(await stranger.get('/addons')), []);
    assert.deepEqual(ok(await stranger.get('/addon-attachments')), []);
    assert.equal(ok(await world.api.get<AddonBody>(`/addons/${addon.id}`)).state, 'provisioned');
  });
});

describe('destroying an add-on', () => {
  it('takes its config vars out by one release, deletes it at the provider, and answers with the add-on', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const answer = await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`);
    assert.equal(ok(answer).state, 'deprovisioned');
    assert.equal(answer.body.id, addon.id);
    assert.deepEqual(await vars(app.name), {});
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    assert.ok(!world.provider.liveResources().includes(addon.id));
    assertRefused(await world.api.get(`/apps/${app.name}/addons/${addon.name}`), 404, 'not_found');
    assertRefused(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`), 404, 'not_found');
    const releases = ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
    assert.equal(releases.at(-1)?.description, `Detach DATABASE (@ref:${addon.name})`);
    assert.deepEqual(
      releases.map(({ version }) => version),
      [1, 2, 3],
    );
  });

  it('by many at once deletes it once', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.id}`)),
    );
    for (const { status } of answers) assert.ok([200, 404].includes(status));
    assert.equal(answers.filter(({ status }) => status === 200).length > 0, true);
    await world.runUntilQuiet(0);
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    assert.equal(ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`)).length, 3);
  });

  it('goes with its app', async () => {
    const app = await world.newApp();
    const addons = [await world.addAddon(app.name), await world.addAddon(app.name)];
    ok(await world.api.delete(`/apps/${app.name}`));
    await world.runUntilQuiet(0);
    for (const { id } of addons) assert.ok(!world.provider.liveResources().includes(id));
    assert.equal((await world.newApp(world.api, app.name)).name, app.name);
  });

  it('keeps every period of its life', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    world.clock.advance(3_600_000);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    const states = await world.database.query<{ state: string; open: boolean }>(
      'SELECT state, ended_at IS NULL AS open FROM addon_state_periods WHERE addon_id = $1 ORDER BY began_at, ended_at',
      [addon.id],
    );
    assert.deepEqual(
      states.map(({ state }) => state),
      ['provisioning', 'provisioned', 'deprovisioning', 'deprovisioned'],
    );
    const [charge] = await world.database.query<{ seconds: number; cents: string }>(
      'SELECT extract(epoch FROM ended_at - began_at)::float8 AS seconds, price_cents AS cents FROM addon_plan_periods WHERE addon_id = $1',
      [addon.id],
    );
    assert.ok(
      charge !== undefined && charge.seconds >= 3_600 && charge.seconds < 3_660,
      JSON.stringify(charge),
    );
    assert.equal(charge.cents, '500');
    const owners = await world.database.query(
      'SELECT 1 FROM addon_owner_periods WHERE addon_id = $1 AND ended_at IS NOT NULL',
      [addon.id],
    );
    assert.equal(owners.length, 1);
  });
});
