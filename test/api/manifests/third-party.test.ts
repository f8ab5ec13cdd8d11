import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import { World } from '../../support/world.js';
import { FREE_AND_PAID, LOOPBACK, manifestOf, moveTo, publish, pull, push } from './support.js';

let world: World;
let maker: Api;
/** What this world's operator lets through; tests take it back and give it again. */
const allowed = [...LOOPBACK];
beforeAll(async () => {
  world = await World.start({ egressAllow: allowed, waits: { settleMs: 2_000 } });
  maker = await world.newAccount('maker@souk.test');
});
afterEach(() => {
  allowed.splice(0, allowed.length, ...LOOPBACK);
});
afterAll(() => world.stop());

const varsOf = async (app: string) => ok(await maker.get<Record<string, string>>(`/apps/${app}/config-vars`));

describe('a service that was pushed', () => {
  it('is provisioned at its provider, injected, and deprovisioned', async () => {
    const { contents } = await publish(world, maker, 'acme-real');
    const app = await world.newApp(maker);
    const addon = await world.addAddon(app.name, 'acme-real', maker);
    assert.equal(addon.state, 'provisioned');
    const call = world.provider.calls.find(({ id }) => id === addon.id);
    assert.equal(call?.body?.plan, 'test');
    const credentials = Buffer.from(`acme-real:${contents.api.password}`).toString('base64');
    assert.equal(call?.headers.authorization, `Basic ${credentials}`);
    assert.deepEqual(Object.keys(await varsOf(app.name)).sort(), ['PG_POOL_URL', 'PG_URL']);

    ok(await maker.delete(`/apps/${app.name}/addons/${addon.name}`));
    assert.deepEqual(await varsOf(app.name), {});
    assert.equal(world.provider.liveResources().includes(addon.id), false);
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
  });

  it('meets its provider as itself: the password of its manifest opens what providers may do', async () => {
    const { contents } = await publish(world, maker, 'acme-notices');
    const app = await world.newApp(maker);
    const addon = await world.addAddon(app.name, 'acme-notices', maker);
    const as = (user: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${contents.api.password}`).toString('base64')}`,
    });
    const notice = { key: 'storage', severity: 'info', message: 'Half full.' };
    ok(await world.anonymous.post(`/addons/${addon.id}/notices`, notice, as('acme-notices')));
    assertRefused(
      await world.anonymous.post(`/addons/${addon.id}/notices`, notice, as('acme-real')),
      401,
      'unauthorized',
    );
  });

  it('keeps the prefix of its config vars while apps have them', async () => {
    const { contents } = await publish(world, maker, 'acme-prefix');
    const app = await world.newApp(maker);
    const addon = await world.addAddon(app.name, 'acme-prefix', maker);
    const other = { ...contents, api: { ...contents.api, config_vars_prefix: 'P', config_vars: ['P_URL'] } };
    assertRefused(await push(maker, 'acme-prefix', other), 422, 'prefix_in_use');
    ok(await maker.delete(`/apps/${app.name}/addons/${addon.name}`));
    ok(await push(maker, 'acme-prefix', other));
  });

  it('is called with a new password as soon as that is pushed', async () => {
    const { contents } = await publish(world, maker, 'acme-rotates');
    ok(await push(maker, 'acme-rotates', { ...contents, api: { ...contents.api, password: 'the-new-one' } }));
    const app = await world.newApp(maker);
    const addon = await world.addAddon(app.name, 'acme-rotates', maker);
    const call = world.provider.calls.find(({ id }) => id === addon.id);
    const credentials = Buffer.from('acme-rotates:the-new-one').toString('base64');
    assert.equal(call?.headers.authorization, `Basic ${credentials}`);
  });

  it('is not called when the operator takes its address back, and goes on when it is allowed again', async () => {
    // By name, so that no connection of the tests before is still open.
    const base_url = `${world.provider.url.replace('127.0.0.1', 'localhost')}/heroku/resources`;
    ok(
      await push(maker, 'acme-guarded', manifestOf(world, 'acme-guarded', {}, { production: { base_url } })),
    );
    const app = await world.newApp(maker);
    allowed.splice(0);
    const before = world.provider.calls.length;
    const addon = await world.addAddon(app.name, 'acme-guarded', maker);
    assert.equal(addon.state, 'provisioning');
    assert.equal(world.provider.calls.length, before);
    const [attempt] = await world.database.query<{ detail: string }>(
      `SELECT t.detail FROM operation_attempts t JOIN operations o ON o.id = t.operation_id WHERE o.addon_id = $1 LIMIT 1`,
      [addon.id],
    );
    assert.match(attempt?.detail ?? '', /was not called: localhost leads to the private address/);
    // A bundled provider is this installation's own, and is called all the same.
    const own = await world.newApp();
    assert.equal((await world.addAddon(own.name, 'pg:mini')).state, 'provisioned');
    allowed.push(...LOOPBACK);
    await world.runUntilQuiet();
    assert.equal((await world.statesOf(addon.id)).addon, 'provisioned');
  });

  it('cannot be pushed at an address that is not allowed', async () => {
    allowed.splice(0);
    const answer = await push(maker, 'acme-inside', manifestOf(world, 'acme-inside'));
    assertRefused(answer, 422, 'manifest_invalid');
    assert.match(JSON.stringify(answer.body), /SOUK_EGRESS_ALLOW/);
  });
});

describe('pushing other plans', () => {
  it('while one of them is being installed loses no add-on and answers nobody with a failure', async () => {
    let { contents } = await publish(world, maker, 'acme-busy', { plans: FREE_AND_PAID });
    for (let round = 0; round < 5; round += 1) {
      const app = await world.newApp(maker);
      const without = { ...contents, plans: [{ id: 'other', price: { cents: 0 } }] };
      const [pushed, ...installs] = await Promise.all([
        push(maker, 'acme-busy', without),
        ...[1, 2, 3, 4].map(() =>
          maker.post<{ id: string; state: string }>(`/apps/${app.name}/addons`, { plan: 'acme-busy:free' }),
        ),
      ]);
      ok(pushed);
      for (const install of installs)
        if (install.status === 201) assert.equal(install.body.state, 'provisioned');
        else assert.ok(['plan_unavailable', 'not_found'].includes(install.body.id), JSON.stringify(install));
      contents = ok(
        await push(maker, 'acme-busy', { ...pushed.body.contents, plans: FREE_AND_PAID }),
      ).contents;
      for (const { id } of installs.filter(({ status }) => status === 201).map(({ body }) => body))
        assert.equal(
          ok(await maker.get<{ plan: { name: string } }>(`/addons/${id}`)).plan.name,
          'acme-busy:free',
        );
    }
  });

  const plans = async (id: string) =>
    ok(await maker.get<{ name: string; price: { cents: number } }[]>(`/addon-services/${id}/plans`)).map(
      ({ name, price }) => [name, price.cents],
    );

  it('hides a plan in use, keeps the price of its holders, and pushing the old ones again brings it back', async () => {
    await publish(world, maker, 'acme-plans', { plans: FREE_AND_PAID });
    ok(await moveTo(world.api, 'acme-plans', 'beta'));
    ok(await moveTo(world.api, 'acme-plans', 'ga'));
    const app = await world.newApp(maker);
    const addon = await world.addAddon(app.name, 'acme-plans:small', maker);
    const held = async () => {
      const { plan, billed_price } = ok(
        await maker.get<{ plan: { name: string }; billed_price: { cents: number } }>(`/addons/${addon.name}`),
      );
      return [plan.name, billed_price.cents];
    };

    const dearer = [FREE_AND_PAID[0], { id: 'small', price: { cents: 900 }, default: true }];
    const first = await pull(maker, 'acme-plans');
    ok(await push(maker, 'acme-plans', { ...first, plans: dearer }));
    assert.deepEqual(await plans('acme-plans'), [
      ['acme-plans:free', 0],
      ['acme-plans:small', 900],
    ]);
    assert.deepEqual(await held(), ['acme-plans:small', 500]);

    const second = await pull(maker, 'acme-plans');
    ok(
      await push(maker, 'acme-plans', {
        ...second,
        plans: [{ id: 'mid', price: { cents: 700 } }, FREE_AND_PAID[0]],
      }),
    );
    assert.deepEqual(await plans('acme-plans'), [
      ['acme-plans:mid', 700],
      ['acme-plans:free', 0],
    ]);
    assert.deepEqual(await held(), ['acme-plans:small', 500]);
    assertRefused(
      await maker.post(`/apps/${app.name}/addons`, { plan: 'acme-plans:small' }),
      422,
      'plan_unavailable',
    );

    const third = await pull(maker, 'acme-plans');
    ok(await push(maker, 'acme-plans', { ...third, plans: FREE_AND_PAID }));
    assert.deepEqual(await plans('acme-plans'), [
      ['acme-plans:free', 0],
      ['acme-plans:small', 500],
    ]);
    assert.deepEqual(
      await world.database.query(
        "SELECT slug FROM plans p JOIN addon_services s ON s.id = p.addon_service_id WHERE s.name = 'acme-plans' ORDER BY slug",
      ),
      [{ slug: 'free' }, { slug: 'small' }],
    );
  });
});
