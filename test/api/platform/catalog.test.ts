import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import { World } from '../../support/world.js';

interface PlanBody {
  id: string;
  name: string;
  default: boolean;
  visible: boolean;
  price: { cents: number; unit: string; currency: string };
}

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const plans = async () => ok(await world.api.get<PlanBody[]>('/addon-services/pg/plans'));
const allRows = () =>
  world.database.query(
    "SELECT 's' AS kind, id, updated_at FROM addon_services UNION ALL SELECT 'p', id, updated_at FROM plans ORDER BY id",
  );

describe('the catalogue', () => {
  it('has services and plans with prices, found by name and id', async () => {
    const services = ok(
      await world.api.get<{ id: string; name: string; state: string }[]>('/addon-services'),
    );
    assert.deepEqual(
      services.map(({ name, state }) => [name, state]),
      [['pg', 'ga']],
    );
    for (const identity of ['pg', services[0]?.id])
      assert.equal(ok(await world.api.get<{ name: string }>(`/addon-services/${identity}`)).name, 'pg');
    assert.deepEqual(
      (await plans()).map(({ name, price, default: isDefault }) => [name, price.cents, isDefault]).sort(),
      [
        ['pg:free', 0, false],
        ['pg:mini', 500, true],
        ['pg:std', 5000, false],
      ],
    );
    assertRefused(await world.api.get('/addon-services/nothing'), 404, 'not_found');
    assertRefused(await world.api.get('/addon-services/nothing/plans'), 404, 'not_found');
  });

  it('does not change when a manifest is imported again, not even by many at once', async () => {
    const before = await allRows();
    await Promise.all([1, 2, 3, 4].map(() => world.importManifest()));
    assert.deepEqual(await allRows(), before);
  });

  it('gives the same ids in every installation', async () => {
    const other = await World.start({ role: 'api' });
    try {
      const ids = async (api: typeof world.api) =>
        ok(await api.get<PlanBody[]>('/addon-services/pg/plans'))
          .map(({ id }) => id)
          .sort();
      assert.deepEqual(await ids(other.api), await ids(world.api));
    } finally {
      await other.stop();
    }
  });

  it('hides a plan that leaves while somebody has it, and drops none that was ever used', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name, 'pg:std');
    const remaining = (world.provider.manifest().plans as { id: string }[]).filter(({ id }) => id !== 'std');
    await world.importManifest({ plans: remaining });
    assert.deepEqual((await plans()).map(({ name }) => name).sort(), ['pg:free', 'pg:mini']);
    assertRefused(
      await world.api.post(`/apps/${app.name}/addons`, { plan: 'pg:std' }),
      422,
      'plan_unavailable',
    );
    assert.equal(
      ok(await world.api.get<{ plan: { name: string } }>(`/addons/${addon.name}`)).plan.name,
      'pg:std',
    );
    await world.importManifest();
    assert.equal((await plans()).find(({ name }) => name === 'pg:std')?.visible, true);
  });

  it('keeps the price of those who have a plan when its price changes', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name, 'pg:mini');
    const dearer = (world.provider.manifest().plans as { id: string; price: object }[]).map((plan) =>
      plan.id === 'mini' ? { ...plan, price: { cents: 700 } } : plan,
    );
    await world.importManifest({ plans: dearer });
    assert.equal((await plans()).find(({ name }) => name === 'pg:mini')?.price.cents, 700);
    assert.equal(
      ok(await world.api.get<{ billed_price: { cents: number } }>(`/addons/${addon.name}`)).billed_price
        .cents,
      500,
    );
    await world.importManifest();
  });

  it('refuses a manifest that names a config var twice: an attachment could reserve it only once', async () => {
    const { api } = world.provider.manifest() as { api: object };
    await assert.rejects(world.importManifest({ api: { ...api, config_vars: ['PG_URL', 'PG_URL'] } }), {
      id: 'manifest_invalid',
    });
  });

  it.each([
    ['no plans', { plans: [] }],
    [
      'two defaults',
      {
        plans: [
          { id: 'a', price: { cents: 1 }, default: true },
          { id: 'b', price: { cents: 1 }, default: true },
        ],
      },
    ],
    ['half a cent', { plans: [{ id: 'a', price: { cents: 0.5 } }] }],
    ['a negative price', { plans: [{ id: 'a', price: { cents: -1 } }] }],
    [
      'the same plan twice',
      {
        plans: [
          { id: 'a', price: { cents: 1 } },
          { id: 'a', price: { cents: 1 } },
        ],
      },
    ],
    ['a bad id', { id: 'Not A Slug' }],
    ['no api', { api: undefined }],
    ['a name for a price', { plans: [{ id: 'a', price: 'free' }] }],
  ])('refuses a manifest with %s, and nothing changes', async (_case, overrides) => {
    const before = await allRows();
    await assert.rejects(world.importManifest(overrides), { id: 'manifest_invalid' });
    assert.deepEqual(await allRows(), before);
  });
});
