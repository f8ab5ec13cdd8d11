import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import type { AddonBody, AppBody, ReleaseBody } from '../../support/resources.js';
import { World } from '../../support/world.js';

interface Quote {
  addon: { name: string };
  from: { name: string };
  to: { name: string };
  direction: string;
  current_price: { cents: number };
  new_price: { cents: number };
  price_difference: { cents: number; unit: string; currency: string } | null;
  restarts: { apps: string[]; other_apps: number };
  expected_seconds: number | null;
  expected_from_changes: number;
}

interface Period {
  slug: string;
  price_cents: string;
  began_at: Date;
  ended_at: Date | null;
}

let world: World;
let app: AppBody;
let addon: AddonBody;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());
beforeEach(async () => {
  app = await world.newApp();
  addon = await world.addAddon(app.name);
});

const change = (plan: unknown, api: Api = world.api) =>
  api.patch<AddonBody & { billed_price: { cents: number } }>(`/apps/${app.name}/addons/${addon.name}`, {
    plan,
  });
const quote = (plan: string, api: Api = world.api) =>
  api.get<Quote>(`/addons/${addon.name}/plan-change-quote?plan=${encodeURIComponent(plan)}`);
/** Without the ticket, of which each answer has another. */
const show = async () => {
  const { web_url: _ticket, ...rest } = ok(await world.api.get<AddonBody>(`/addons/${addon.id}`));
  return rest;
};
const releases = async () => ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
const periods = () =>
  world.database.query<Period>(
    `SELECT slug, pp.price_cents, began_at, ended_at FROM addon_plan_periods pp JOIN plans p ON p.id = pp.plan_id
     WHERE addon_id = $1 ORDER BY began_at`,
    [addon.id],
  );

describe('changing a plan', () => {
  it('gives the add-on its new plan and price at once, charged from the moment of the provider’s yes', async () => {
    const answer = await change({ name: 'pg:std' });
    const changed = ok(answer);
    assert.equal(answer.status, 200);
    assert.equal(changed.plan.name, 'pg:std');
    assert.equal(changed.billed_price.cents, 5_000);
    assert.equal(changed.state, 'provisioned');
    assert.equal(changed.provision_message, 'Your database is on std now.');
    assert.equal(world.provider.planOf(addon.id), 'std');
    const [first, second, ...none] = await periods();
    assert.deepEqual(none, []);
    assert.deepEqual(
      { plan: first?.slug, cents: first?.price_cents, next: second?.slug, then: second?.price_cents },
      { plan: 'mini', cents: '500', next: 'std', then: '5000' },
    );
    assert.deepEqual(first?.ended_at, second?.began_at);
    assert.equal(second?.ended_at, null);
    assert.equal((await releases()).length, 2, 'no value changed, so there is no release');
  });

  it('sends the provider what the Add-on Partner API v3 says', async () => {
    ok(await change('pg:std'));
    const call = world.provider.calls.find(({ id, verb }) => id === addon.id && verb === 'change_plan');
    assert.equal(call?.headers.accept, 'application/vnd.heroku-addons+json; version=3');
    assert.equal(
      call?.headers.authorization,
      `Basic ${Buffer.from('pg:partner-password').toString('base64')}`,
    );
    assert.equal(call?.headers['content-type'], 'application/json');
    assert.deepEqual(call?.body, { plan: 'std' });
  });

  it('asks under the id that the provider gave', async () => {
    world.provider.idsOfItsOwn = true;
    const own = await world.addAddon(app.name);
    ok(await world.api.patch(`/apps/${app.name}/addons/${own.name}`, { plan: 'pg:std' }));
    world.provider.idsOfItsOwn = false;
    assert.deepEqual(world.provider.callsOf(`own-${own.id}`), ['change_plan']);
  });

  it('takes the plan by its own name, its id, or as an object', async () => {
    assert.equal(ok(await change('std')).plan.name, 'pg:std');
    const plans = ok(await world.api.get<{ id: string; name: string }[]>('/addon-services/pg/plans'));
    const mini = plans.find(({ name }) => name === 'pg:mini');
    assert.equal(ok(await change(mini?.id)).plan.name, 'pg:mini');
    assert.equal(ok(await change({ name: 'free' })).plan.name, 'pg:free');
  });

  it('takes in new values: one release on the app, the others stay', async () => {
    const before = await vars();
    world.provider.onPlanChange({
      status: 200,
      works: true,
      body: { config: { PG_URL: 'postgres://new' }, message: '<b>Moved.</b>' },
    });
    assert.equal(ok(await change('pg:std')).provision_message, 'Moved.');
    assert.deepEqual(await vars(), { ...before, DATABASE_URL: 'postgres://new' });
    const [newest] = (await releases()).slice(-1);
    assert.equal(newest?.description, `Update DATABASE (@ref:${addon.name})`);
    assert.deepEqual(newest?.changes, { set: ['DATABASE_URL'], unset: [] });
    assert.deepEqual(newest?.addon_plan_names, ['pg:std']);
    assert.equal((await releases()).length, 3);
  });

  it.each([
    ['an empty object', 200, {}],
    ['config null', 200, { config: null, message: null }],
    ['nothing', 200, ''],
    ['ok as text', 200, 'ok'],
    ['a page', 200, '<html>done</html>'],
    ['204', 204, ''],
    ['202', 202, { message: 'It takes a while.' }],
  ])('%s is a yes', async (_what, status, body) => {
    world.provider.onPlanChange({ status, works: true, body });
    assert.equal(ok(await change('pg:std')).plan.name, 'pg:std');
    assert.equal((await releases()).length, 2);
  });

  it('to the plan that it has changes nothing and asks nobody', async () => {
    const answer = await change('pg:mini');
    assert.equal(answer.status, 200);
    assert.equal(ok(answer).plan.name, 'pg:mini');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
    assert.equal((await periods()).length, 1);
  });

  it.each([
    [422, { message: 'Too much data for that plan.' }, /refused to change the plan: Too much data/],
    [422, '', /gave no reason/],
    [405, '', /cannot change plans/],
    [404, '<h1>Not found</h1>', /cannot change plans/],
    [401, {}, /gave no reason/],
  ])('is refused with the provider’s words at %i, and all stays as it was', async (status, body, words) => {
    const before = { vars: await vars(), releases: await releases(), addon: await show() };
    world.provider.onPlanChange({ status, body });
    const answer = await change('pg:std');
    assertRefused(answer, 422, 'provider_refused');
    assert.match((answer.body as unknown as { message: string }).message, words);
    assert.deepEqual({ vars: await vars(), releases: await releases(), addon: await show() }, before);
    assert.deepEqual(
      (await periods()).map(({ slug, ended_at }) => ({ slug, ended_at })),
      [{ slug: 'mini', ended_at: null }],
    );
    assert.equal(ok(await change('pg:std')).plan.name, 'pg:std', 'and can be tried again');
  });

  it('refuses what cannot be chosen, by id', async () => {
    assertRefused(await change('pg:enormous'), 422, 'plan_not_offered');
    assertRefused(await change('enormous'), 422, 'plan_not_offered');
    assertRefused(await change('nobody:mini'), 422, 'plan_not_offered');
    assertRefused(await change(addon.id), 422, 'plan_not_offered');
    assertRefused(await change(undefined), 422, 'invalid_params');
    assertRefused(await change({}), 422, 'invalid_params');
    await world.importManifest({
      plans: [
        { id: 'mini', name: 'Mini', price: { cents: 500 } },
        { id: 'std', name: 'Standard', price: { cents: 5_000 } },
        { id: 'far', name: 'Far', price: { cents: 1 }, regions: ['eu'] },
        { id: 'old', name: 'Old', price: { cents: 1 } },
      ],
    });
    assertRefused(await change('pg:far'), 422, 'region_unavailable');
    const holder = await world.addAddon(app.name, 'pg:old');
    await world.importManifest();
    assertRefused(await change('pg:old'), 422, 'plan_unavailable');
    const stays = await world.api.patch(`/apps/${app.name}/addons/${holder.name}`, { plan: 'pg:old' });
    assert.equal(stays.status, 200, 'who has it keeps it');
    await world.database.query("UPDATE addon_services SET state = 'shutdown' WHERE name = 'pg'");
    assertRefused(await change('pg:std'), 422, 'service_unavailable');
    await world.database.query("UPDATE addon_services SET state = 'ga' WHERE name = 'pg'");
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
  });

  it('keeps an add-on with its service', async () => {
    const manifest = world.provider.manifest({ id: 'other' });
    const api = manifest.api as object;
    await world.importManifest({
      id: 'other',
      api: { ...api, config_vars_prefix: 'OTHER', config_vars: ['OTHER_URL'] },
    });
    assertRefused(await change('other:std'), 422, 'plan_of_other_service');
    const plans = ok(await world.api.get<{ id: string }[]>('/addon-services/other/plans'));
    assertRefused(await change(plans[0]?.id), 422, 'plan_of_other_service');
  });

  it('is for who owns the add-on', async () => {
    const stranger = await world.newAccount();
    assertRefused(await change('pg:std', stranger), 404, 'not_found');
    assertRefused(await quote('pg:std', stranger), 404, 'not_found');
  });

  it('keeps who pays an old price on it, until the plan is another', async () => {
    await world.importManifest({
      plans: [
        { id: 'mini', name: 'Mini', price: { cents: 700 }, default: true },
        { id: 'std', name: 'Standard', price: { cents: 5_000 } },
      ],
    });
    const { current_price, new_price, price_difference } = ok(await quote('pg:mini'));
    assert.deepEqual([current_price.cents, new_price.cents, price_difference?.cents], [500, 500, 0]);
    assert.equal(ok(await quote('pg:std')).price_difference?.cents, 4_500);
    assert.equal(ok(await change('pg:mini')).billed_price.cents, 500);
    assert.equal(ok(await change('pg:std')).billed_price.cents, 5_000);
    assert.equal(ok(await change('pg:mini')).billed_price.cents, 700);
    await world.importManifest();
  });

  it('is told in the audit trail', async () => {
    ok(await change('pg:std'));
    world.provider.onPlanChange({ status: 422, body: { message: 'No.' } });
    assertRefused(await change('pg:mini'), 422, 'provider_refused');
    const events = await world.database.query<{ action: string; details: Record<string, unknown> }>(
      "SELECT action, details FROM audit_events WHERE subject_id = $1 AND action LIKE 'addon.plan_%' ORDER BY id",
      [addon.id],
    );
    assert.deepEqual(
      events.map(({ action }) => action),
      [
        'addon.plan_change_requested',
        'addon.plan_changed',
        'addon.plan_change_requested',
        'addon.plan_change_failed',
      ],
    );
    assert.deepEqual([events[1]?.details.from, events[1]?.details.to], ['pg:mini', 'pg:std']);
  });
});

describe('the quote of a plan change', () => {
  it('says price, restarts and direction, and changes nothing', async () => {
    const told = ok(await quote('pg:std'));
    assert.deepEqual(
      { from: told.from.name, to: told.to.name, direction: told.direction, restarts: told.restarts },
      {
        from: 'pg:mini',
        to: 'pg:std',
        direction: 'upgrade',
        restarts: { apps: [app.name], other_apps: 0, when: 'config_vars_change' },
      },
    );
    assert.deepEqual(told.price_difference, { cents: 4_500, unit: 'month', currency: 'USD' });
    assert.equal((await show()).plan.name, 'pg:mini');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
    ok(await change('pg:std'));
    const back = ok(await quote('mini'));
    assert.deepEqual([back.direction, back.price_difference?.cents], ['downgrade', -4_500]);
    assert.equal(ok(await quote('pg:std')).direction, 'same');
  });

  it('refuses what the change would refuse', async () => {
    assertRefused(await quote('pg:enormous'), 422, 'plan_not_offered');
    assertRefused(await world.api.get(`/addons/${addon.name}/plan-change-quote`), 422, 'invalid_params');
  });
});

it('the expected seconds of a quote are the middle of this provider’s own changes, null before the first', async () => {
  const fresh = await World.start();
  try {
    const { name } = await fresh.newApp();
    const { id } = await fresh.addAddon(name);
    const expected = async () => {
      const told = ok(await fresh.api.get<Quote>(`/addons/${id}/plan-change-quote?plan=pg:std`));
      return [told.expected_seconds, told.expected_from_changes];
    };
    assert.deepEqual(await expected(), [null, 0]);
    fresh.provider.onPlanChange({ status: 422, body: {} });
    assertRefused(
      await fresh.api.patch(`/apps/${name}/addons/${id}`, { plan: 'pg:std' }),
      422,
      'provider_refused',
    );
    assert.deepEqual(await expected(), [null, 0]);
    for (const [plan, seconds] of [
      ['std', 10],
      ['mini', 30],
      ['free', 21],
      ['mini', 4_000],
      ['free', 1],
    ] as const) {
      ok(await fresh.api.patch(`/apps/${name}/addons/${id}`, { plan }));
      await fresh.database.query(
        `UPDATE operations SET created_at = finished_at - make_interval(secs => $1)
         WHERE type = 'plan_change' AND state = 'succeeded' AND finished_at = (SELECT max(finished_at) FROM operations)`,
        [seconds],
      );
    }
    assert.deepEqual(await expected(), [21, 5]);
  } finally {
    await fresh.stop();
  }
});
