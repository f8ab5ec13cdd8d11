import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { ok } from '../support/api.js';
import { assertNothingLeftOver, OneCrash } from '../support/call-back-world.js';
import { exchange, newestGrant, Partner } from '../support/partner-client.js';
import type { AddonBody, AppBody, ReleaseBody } from '../support/resources.js';
import { World } from '../support/world.js';

const crash = new OneCrash();
let world: World;
let app: AppBody;
beforeAll(async () => {
  world = await World.start({
    crashPoints: crash,
    waits: { providerTimeoutMs: 8_000, leaseMs: 12_000, settleMs: 10_000 },
  });
  world.clock.freeze();
});
afterAll(() => world.stop());
beforeEach(async () => {
  world.provider.onProvision(null);
  world.provider.onDeprovision(null);
  app = await world.newApp();
});
afterEach(async () => {
  assert.equal(crash.isDue, false, 'the point was reached');
  await world.runUntilQuiet();
  await assertNothingLeftOver(world);
});

const create = async () =>
  ok(await world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini' }));
const destroy = async (addon: AddonBody) =>
  ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`));
const releases = async () => ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
const sides = ['before_commit', 'after_commit'] as const;

async function waiting(): Promise<{ addon: AddonBody; partner: Partner }> {
  world.provider.onProvision({ status: 202, works: true });
  const addon = await create();
  return { addon, partner: await Partner.of(world, addon.id) };
}

/** The request dies with the process; the provider asks again, as it must. */
async function diesOnce(point: string, send: () => Promise<{ status: number }>): Promise<void> {
  crash.at(point);
  assert.equal((await send()).status, 500);
  assert.equal((await send()).status, 200);
}

describe.each(sides)('a death %s', (side) => {
  it('of a grant: the request is sent again with a grant of its own', async () => {
    crash.at(`provision.grant.${side}`);
    const addon = await create();
    assert.deepEqual(world.provider.callsOf(addon.id), []);
    world.clock.advance(13_000);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
    ok(await exchange(world, newestGrant(world, addon.id).code));
  });

  it('of a report of success', async () => {
    const { addon, partner } = await waiting();
    const before = (await releases()).length;
    await diesOnce(`report.provisioned.${side}`, () => partner.reports('provision'));
    assert.equal((await world.statesOf(addon.id)).addon, 'provisioned');
    assert.equal((await releases()).length, before + 1);
  });

  it('of a report of success inside the request', async () => {
    world.provider.onProvision({
      status: 202,
      works: true,
      does: async ({ id }) => {
        const partner = await Partner.of(world, id);
        await diesOnce(`report.provisioned.${side}`, () => partner.reports('provision'));
      },
    });
    assert.equal((await create()).state, 'provisioned');
  });

  it('of a report of failure', async () => {
    const { addon, partner } = await waiting();
    await diesOnce(`report.deprovisioned.${side}`, () => partner.reports('deprovision'));
    assert.equal((await world.statesOf(addon.id)).failed, true);
  });

  it('of the record of an answer that was reported before', async () => {
    for (const [what, end] of [
      ['provision', 'provisioned'],
      ['deprovision', 'deprovisioned'],
    ] as const) {
      world.provider.onProvision({
        status: 202,
        works: true,
        does: async ({ id }) => {
          ok(await (await Partner.of(world, id)).reports(what));
          crash.at(`provision.record.${side}`);
        },
      });
      await world.api.post(`/apps/${app.name}/addons`, { plan: 'pg:mini' });
      const id = world.provider.calls.filter(({ verb }) => verb === 'provision').at(-1)?.id ?? '';
      // Where the same is asked again, the answer is the same.
      world.provider.onProvision({ status: 202, works: true }, true);
      world.clock.advance(13_000);
      await world.runUntilQuiet(1_000);
      assert.equal((await world.statesOf(id)).addon, end);
    }
  });

  it('of a report that a deletion is done', async () => {
    const addon = await create();
    const partner = await Partner.of(world, addon.id);
    world.provider.onDeprovision({ status: 202, works: true });
    await destroy(addon);
    await diesOnce(`report.deprovisioned.${side}`, () => partner.reports('deprovision'));
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
  });

  it('of a change of config: one release all the same', async () => {
    const addon = await create();
    const partner = await Partner.of(world, addon.id);
    const before = (await releases()).length;
    await diesOnce(`addon_config.set.${side}`, () =>
      partner.setConfig([{ name: 'PG_URL', value: 'postgres://rotated' }]),
    );
    assert.equal((await releases()).length, before + 1);
  });

  it('of a refresh: the refresh token gives another access token', async () => {
    const addon = await create();
    const { tokens } = await Partner.of(world, addon.id);
    crash.at(`grant.refresh.${side}`);
    await assert.rejects(Partner.refreshed(world, addon.id, tokens.refresh_token));
    const again = await Partner.refreshed(world, addon.id, tokens.refresh_token);
    ok(await again.api.get(`/addons/${addon.id}`));
  });
});

it('a death before the commit of an exchange leaves the grant good; one after it uses it up, and a request brings the next', async () => {
  const addon = await create();
  const { code } = newestGrant(world, addon.id);
  crash.at('grant.exchange.before_commit');
  assert.equal((await exchange(world, code)).status, 500);
  ok(await exchange(world, code));
  world.provider.onProvision({
    status: 503,
    does: async ({ id }) => {
      crash.at('grant.exchange.after_commit');
      const lost = newestGrant(world, id).code;
      assert.equal((await exchange(world, lost)).status, 500);
      assert.equal((await exchange(world, lost)).status, 400);
    },
  });
  const second = await create();
  await world.runUntilQuiet();
  ok(await exchange(world, newestGrant(world, second.id).code));
});
