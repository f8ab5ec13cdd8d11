import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok, type Answer } from '../support/api.js';
import { assertNothingLeftOver } from '../support/call-back-world.js';
import type { Call, Script } from '../support/fake-provider.js';
import { grantOf, Partner } from '../support/partner-client.js';
import type { AddonBody, AppBody, ReleaseBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

const HOUR_MS = 3_600_000;
/** A provider that has the resource and goes on working at it. */
const ACCEPTS: Script = { status: 202, works: true, body: { message: 'Soon.' } };

let world: World;
let app: AppBody;
beforeAll(async () => {
  world = await World.start({ waits: { providerTimeoutMs: 8_000, leaseMs: 12_000, settleMs: 10_000 } });
  world.clock.freeze();
});
afterAll(() => world.stop());
beforeEach(async () => {
  world.provider.onProvision(null);
  world.provider.onDeprovision(null);
  app = await world.newApp();
});
afterEach(() => assertNothingLeftOver(world));

const create = () => world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini' });
const destroy = async (addon: AddonBody) =>
  ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`));
const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
const releases = async () => ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
const isCharged = async (id: string) =>
  (await world.database.query('SELECT 1 FROM addon_plan_periods WHERE addon_id = $1', [id])).length > 0;

/** An add-on whose provider answered 202, and the provider with its token. */
async function waiting(): Promise<{ addon: AddonBody; partner: Partner }> {
  world.provider.onProvision(ACCEPTS);
  const addon = ok(await create());
  assert.equal(addon.state, 'provisioning');
  return { addon, partner: await Partner.of(world, addon.id) };
}

/** What a provider does inside its request, with the token for that request's grant. */
function inside(work: (partner: Partner, call: Call) => Promise<unknown>): Pick<Script, 'does'> {
  return { does: async (call) => work(await Partner.of(world, call.id, grantOf(call)), call) };
}

describe('a provider that exchanges the grant and reads the API before it answers', () => {
  it('gets all that it asks for, and what it set there is in the one release', async () => {
    const seen: unknown[] = [];
    world.provider.onProvision({
      ...inside(async (partner, { id }) => {
        const shown = ok(await partner.api.get<AddonBody>(`/addons/${id}`));
        const apps = ok(await partner.api.get<AppBody[]>('/apps'));
        const attached = ok(await partner.api.get<unknown[]>(`/addons/${id}/addon-attachments`));
        ok(await partner.api.get(`/apps/${app.id}`));
        ok(await partner.setConfig([{ name: 'PG_POOL_URL', value: 'postgres://inside' }]));
        ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://too-early' }]));
        seen.push(
          shown.state,
          apps.map((one) => one.id),
          attached.length,
        );
      }),
      works: true,
      status: 201,
      adds: { config: { PG_URL: 'postgres://answered' } },
    });
    const before = (await releases()).length;
    const addon = ok(await create());
    assert.deepEqual(seen, ['provisioning', [app.id], 1]);
    assert.equal(addon.state, 'provisioned');
    // Of a name that both have, the answer's value counts.
    assert.deepEqual(await vars(), {
      DATABASE_POOL_URL: 'postgres://inside',
      DATABASE_URL: 'postgres://answered',
    });
    assert.equal((await releases()).length, before + 1);
    await destroy(addon);
  });

  it('does so for many add-ons of one app at the same time', async () => {
    world.provider.onProvision(
      {
        ...inside(async (partner, { id }) => {
          ok(await partner.setConfig([{ name: 'PG_POOL_URL', value: `postgres://${id}` }]));
          ok(await partner.api.get(`/addons/${id}/config`));
        }),
      },
      true,
    );
    const made = await Promise.all(Array.from({ length: 8 }, create));
    for (const answer of made) assert.equal(ok(answer).state, 'provisioned');
    world.provider.onProvision(null);
    await Promise.all(made.map(({ body }) => destroy(body)));
  });
});

describe('a creation that was answered with 202', () => {
  it('is provisioned when the provider says so, with all that it set until then in one release', async () => {
    const { addon, partner } = await waiting();
    assert.equal(addon.provision_message, 'Soon.');
    const before = (await releases()).length;
    ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://first' }]));
    world.clock.advance(HOUR_MS);
    ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://last' }]));
    ok(await partner.setConfig([{ name: 'PG_POOL_URL', value: 'postgres://pool' }]));
    assert.deepEqual(await vars(), {});
    assert.equal((await releases()).length, before);
    assert.equal(await isCharged(addon.id), false);
    const answer = ok(await partner.reports('provision'));
    assert.equal(answer.state, 'provisioned');
    assert.deepEqual(await vars(), { DATABASE_POOL_URL: 'postgres://pool', DATABASE_URL: 'postgres://last' });
    assert.equal((await releases()).length, before + 1);
    const [charge] = await world.database.query<{ began_at: Date }>(
      'SELECT began_at FROM addon_plan_periods WHERE addon_id = $1',
      [addon.id],
    );
    assert.deepEqual(charge?.began_at, world.clock.now());
    // Again, and by many at once: nothing more happens.
    for (const again of await Promise.all(Array.from({ length: 5 }, () => partner.reports('provision'))))
      assert.deepEqual(ok(again), answer);
    assert.equal((await releases()).length, before + 1);
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
    await destroy(addon);
    assertRefused(await partner.reports('provision'), 410, 'gone');
    assertRefused(await partner.reports('deprovision'), 410, 'gone');
  });

  it('is removed, uncharged and cleaned up when the provider says that it failed', async () => {
    const { addon, partner } = await waiting();
    const answer = ok(await partner.reports('deprovision'));
    assert.equal(answer.state, 'deprovisioned');
    assert.match(answer.provision_message ?? '', /could not create the add-on. Nothing was charged/);
    assert.equal(await isCharged(addon.id), false);
    assert.deepEqual(ok(await partner.reports('deprovision')), answer);
    assertRefused(await partner.reports('provision'), 410, 'gone');
    assertRefused(await partner.setConfig([{ name: 'PG_URL', value: 'x' }]), 410, 'gone');
    assertRefused(await partner.api.get(`/addons/${addon.id}`), 410, 'gone');
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    assert.deepEqual(ok(await partner.reports('deprovision')), answer);
  });

  it('goes when its 12 hours are over, and a report after that is too late', async () => {
    const { addon, partner } = await waiting();
    world.clock.advance(7 * HOUR_MS);
    ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://late' }]));
    world.clock.advance(6 * HOUR_MS);
    await world.runUntilQuiet();
    assert.deepEqual(await world.statesOf(addon.id), {
      addon: 'deprovisioned',
      operation: 'failed',
      failed: true,
    });
    // Its access token would have another hour: what ended it is the add-on's end.
    for (const what of ['provision', 'deprovision'] as const)
      assert.ok([401, 410].includes((await partner.reports(what)).status));
    assert.deepEqual(await vars(), {});
  });

  it('of which deletion was asked for meanwhile is deleted when the provider is done, uncharged', async () => {
    const { addon, partner } = await waiting();
    assert.equal((await destroy(addon)).state, 'deprovisioning');
    assert.equal(ok(await partner.reports('provision')).state, 'deprovisioning');
    await world.runUntilQuiet();
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    assert.equal(await isCharged(addon.id), false);
    assert.deepEqual(await vars(), {});
  });

  it('keeps the id that a later answer brings, also when the report came first', async () => {
    world.provider.idsOfItsOwn = true;
    world.provider.onProvision({ ...ACCEPTS, body: { id: 'unused' }, reset: true });
    const addon = ok(await create());
    const partner = await Partner.of(world, addon.id);
    ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://unsure' }]));
    assert.equal(ok(await partner.reports('provision')).state, 'provisioning');
    world.provider.onProvision({ status: 202, works: true, adds: { config: {} } });
    await world.runUntilQuiet();
    const shown = ok(await world.api.get<AddonBody>(`/addons/${addon.id}`));
    assert.deepEqual([shown.state, shown.provider_id], ['provisioned', `own-${addon.id}`]);
    assert.deepEqual(await vars(), { DATABASE_URL: 'postgres://unsure' });
    await destroy(addon);
    world.provider.idsOfItsOwn = false;
  });
});

/** Whatever the answer, and whatever was reported inside the request: the states after all is done. */
describe('a report before the answer', () => {
  const made = 'provisioned';
  const failed = 'deprovisioned, failed';
  const cases: [what: 'provision' | 'deprovision', answer: string, script: Script, end: string][] = [
    ['provision', '202', { status: 202, works: true }, made],
    ['provision', '202 without an id', ACCEPTS, made],
    ['provision', '200', { status: 200, works: true, adds: {} }, made],
    ['provision', 'reset', { reset: true, works: true }, made],
    ['provision', '503', { status: 503, works: true, body: '' }, made],
    ['provision', '422', { status: 422, body: { message: 'No.' } }, failed],
    ['deprovision', '202', { status: 202, works: true }, failed],
    ['deprovision', '202 and nothing made', { status: 202, body: {} }, failed],
    ['deprovision', '200', { status: 200, works: true, adds: {} }, failed],
    ['deprovision', 'reset', { reset: true, works: true }, failed],
    ['deprovision', '503', { status: 503, body: '' }, failed],
    ['deprovision', '422', { status: 422, body: { message: 'No.' } }, failed],
  ];
  it.each(cases)('of %s, and then %s', async (what, _answer, script, end) => {
    world.provider.onProvision({
      ...script,
      ...inside(async (partner) => {
        ok(await partner.setConfig([{ name: 'PG_URL', value: 'postgres://reported' }]));
        ok(await partner.reports(what));
        ok(await partner.reports(what));
      }),
    });
    await create();
    await world.runUntilQuiet();
    const [row] = await world.database.query<{ id: string }>('SELECT id FROM addons WHERE app_id = $1', [
      app.id,
    ]);
    const states = await world.statesOf(row?.id ?? '');
    assert.equal(`${states.addon}${states.failed ? ', failed' : ''}`, end);
    if (end === made) assert.ok('DATABASE_URL' in (await vars()));
    else assert.deepEqual(await vars(), {});
  });

  it('of success, and then of failure, is a failure; and not the other way round', async () => {
    for (const order of [
      ['provision', 'deprovision'],
      ['deprovision', 'provision'],
    ] as const) {
      world.provider.onProvision({
        ...ACCEPTS,
        ...inside(async (partner) => {
          for (const what of order) ok(await partner.reports(what));
        }),
      });
      assertRefused(await create(), 422, 'provider_refused');
      await world.runUntilQuiet();
    }
  });
});

describe('a deletion that was answered with 202', () => {
  async function deleting(script: Script): Promise<{ addon: AddonBody; partner: Partner }> {
    const addon = ok(await create());
    const partner = await Partner.of(world, addon.id);
    world.provider.onDeprovision(script);
    await destroy(addon);
    return { addon, partner };
  }

  it('is done when the provider says so, and its token works until then', async () => {
    const { addon, partner } = await deleting({ status: 202, works: true });
    assert.equal(ok(await partner.api.get<AddonBody>(`/addons/${addon.id}`)).state, 'deprovisioning');
    assert.equal(ok(await partner.reports('provision')).state, 'deprovisioning');
    const answer = ok(await partner.reports('deprovision'));
    assert.equal(answer.state, 'deprovisioned');
    assert.deepEqual(ok(await partner.reports('deprovision')), answer);
    assertRefused(await partner.reports('provision'), 410, 'gone');
    assertRefused(await partner.api.get(`/addons/${addon.id}`), 410, 'gone');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
  });

  it.each<[string, Script]>([
    ['202', { status: 202, works: true }],
    ['204', { status: 204, works: true, body: '' }],
    ['reset', { reset: true, works: true }],
    ['500', { status: 500, works: true }],
  ])('or in another way (%s) is done when the provider said so before', async (_answer, script) => {
    const addon = ok(await create());
    const partner = await Partner.of(world, addon.id);
    world.provider.onDeprovision({
      ...script,
      does: async () => ok(await partner.reports('deprovision')),
    });
    assert.equal((await destroy(addon)).state, 'deprovisioned');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
  });

  it('without a verdict is done when the provider says so', async () => {
    const { partner } = await deleting({ reset: true, works: true });
    assert.equal(ok(await partner.reports('deprovision')).state, 'deprovisioned');
  });

  it('that nobody asked for is no report', async () => {
    const addon = ok(await create());
    const partner = await Partner.of(world, addon.id);
    assertRefused(await partner.reports('deprovision'), 422, 'nothing_to_report');
    await destroy(addon);
  });
});

describe('at the same moment', () => {
  const settles = async (answers: Promise<Answer[]>) => {
    for (const { status, body } of await answers)
      assert.ok([200, 410, 422].includes(status), `${status} ${JSON.stringify(body)}`);
    await world.runUntilQuiet();
  };

  it('a report of success and one of failure: one of them counts', async () => {
    const { partner } = await waiting();
    await settles(Promise.all([partner.reports('provision'), partner.reports('deprovision')]));
    await removeAll();
  });

  it('a report and the deadline: one of them counts', async () => {
    const { addon, partner } = await waiting();
    // An hour before the token ends it is exchanged again, as providers do.
    world.clock.advance(12 * HOUR_MS - 1);
    const { api } = await Partner.refreshed(world, partner.addonId, partner.tokens.refresh_token);
    world.clock.advance(2);
    const report = api.post<AddonBody>(`/addons/${addon.id}/actions/provision`);
    await settles(Promise.all([report, world.walkRounds().then(() => report)]));
    await removeAll();
  });

  it('a report and the wish to delete: the add-on is gone in the end', async () => {
    for (const what of ['provision', 'deprovision'] as const) {
      const { addon, partner } = await waiting();
      await settles(
        Promise.all([
          partner.reports(what),
          world.api
            .delete(`/apps/${app.name}/addons/${addon.id}`)
            .then((answer) => ({ ...answer, status: 200 })),
        ]),
      );
      assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    }
  });

  it('a report and the answer that it belongs to: the add-on is made, with one release', async () => {
    for (let round = 0; round < 5; round += 1) {
      const before = (await releases()).length;
      const reports: Promise<Answer>[] = [];
      world.provider.onProvision({
        ...ACCEPTS,
        does: async (call) => {
          const partner = await Partner.of(world, call.id, grantOf(call));
          // Not waited for: it meets the record of the answer.
          reports.push(partner.reports('provision'));
        },
      });
      const addon = ok(await create());
      assert.equal(reports.length, 1);
      for (const answer of await Promise.all(reports)) ok(answer);
      await world.runUntilQuiet();
      assert.equal((await world.statesOf(addon.id)).addon, 'provisioned');
      assert.equal((await releases()).length, before + 1);
      await destroy(addon);
    }
  });

  it('a report and an answer that comes after its lease: the add-on is made once', async () => {
    let release = () => {};
    const late = new Promise<void>((resolve) => (release = resolve));
    world.provider.onProvision({ ...ACCEPTS, until: late });
    const earlier = world.provider.calls.at(-1);
    const creating = create();
    const call = await until(() => {
      const newest = world.provider.calls.at(-1);
      assert.ok(newest?.verb === 'provision' && newest !== earlier);
      return newest;
    });
    const partner = await Partner.of(world, call.id, grantOf(call));
    ok(await partner.reports('provision'));
    world.provider.onProvision(ACCEPTS);
    world.clock.advance(13_000);
    await world.runUntilQuiet(1_000);
    release();
    await creating;
    assert.equal((await world.statesOf(call.id)).addon, 'provisioned');
    assert.equal((await releases()).filter(({ description }) => description.startsWith('Attach')).length, 1);
    await removeAll();
  });

  async function removeAll(): Promise<void> {
    ok(await world.api.delete(`/apps/${app.name}`));
    await world.runUntilQuiet();
  }
});
