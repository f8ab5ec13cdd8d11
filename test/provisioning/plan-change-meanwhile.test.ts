import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok } from '../support/api.js';
import type { AddonBody, AppBody, ReleaseBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { queueBackends, World } from '../support/world.js';

/** What happens while a provider thinks about a plan change. */
describe.each(queueBackends())('with the queue on %s, a plan change under way', (queue) => {
  let world: World;
  let app: AppBody;
  let addon: AddonBody;
  beforeAll(async () => {
    world = await World.start({ queue, waits: { settleMs: 300 } });
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    app = await world.newApp();
    world.provider.onPlanChange(null);
    addon = await world.addAddon(app.name);
    // Nobody waits long here, so it may be on its way still.
    await world.runUntilQuiet(1_000);
  });

  const change = (plan = 'pg:std') =>
    world.api.patch<AddonBody>(`/apps/${app.name}/addons/${addon.name}`, { plan });
  const changesSent = () =>
    world.provider.calls
      .filter(({ id, verb }) => id === addon.id && verb === 'change_plan')
      .map(({ body }) => body?.plan);
  const periods = () =>
    world.database.query<{ slug: string; ended_at: Date | null }>(
      `SELECT slug, ended_at FROM addon_plan_periods pp JOIN plans p ON p.id = pp.plan_id
       WHERE addon_id = $1 ORDER BY began_at`,
      [addon.id],
    );

  it('has one call, however many jobs it has', async () => {
    let release = () => {};
    world.provider.onPlanChange({ until: new Promise<void>((resolve) => (release = resolve)) });
    assert.equal((await change()).status, 202);
    const [operation] = await world.database.query<{ id: string }>(
      "SELECT id FROM operations WHERE addon_id = $1 AND type = 'plan_change'",
      [addon.id],
    );
    for (let copy = 0; copy < 20; copy += 1)
      await world.database.query(
        "INSERT INTO outbox (job, payload, created_at) VALUES ('operation.advance', $1, now())",
        [{ operationId: operation?.id }],
      );
    await until(async () => assert.deepEqual(await world.database.query('SELECT 1 FROM outbox'), []));
    assertRefused(await change('pg:mini'), 422, 'operation_in_flight');
    assertRefused(await change('pg:free'), 422, 'operation_in_flight');
    release();
    await world.runUntilQuiet(1_000);
    assert.deepEqual(changesSent(), ['std']);
    assert.equal(ok(await world.api.get<AddonBody>(`/addons/${addon.id}`)).plan.name, 'pg:std');
    assert.deepEqual(
      (await periods()).map(({ slug }) => slug),
      ['mini', 'std'],
    );
  });

  it.each([
    ['says yes', { works: true, status: 200, body: { config: { PG_URL: 'postgres://moved' } } }],
    ['refuses', { status: 422, body: { message: 'No.' } }],
    ['gives no verdict', { status: 500, works: true }],
  ])(
    'of a provider that then %s: a delete asked for meanwhile starts next and wins',
    async (_what, script) => {
      let release = () => {};
      world.provider.onPlanChange({ ...script, until: new Promise<void>((resolve) => (release = resolve)) });
      assert.equal((await change()).status, 202);
      const remove = () => world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`);
      assert.equal(ok(await remove()).state, 'deprovisioning');
      assert.equal(ok(await remove()).state, 'deprovisioning', 'a second delete is the first');
      assertRefused(await change('pg:free'), 422, 'operation_in_flight');
      assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'change_plan']);
      const [asked] = await world.database.query<{ at: Date }>(
        'SELECT delete_requested_at AS at FROM addons WHERE id = $1',
        [addon.id],
      );
      release();
      await world.runUntilQuiet(1_000);
      assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'change_plan', 'deprovision']);
      assert.deepEqual(await world.statesOf(addon.id), {
        addon: 'deprovisioned',
        operation: 'succeeded',
        failed: false,
      });
      // Charged at the old price, and not a moment longer than asked for.
      assert.deepEqual(await periods(), [{ slug: 'mini', ended_at: asked?.at }]);
      const releases = ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`));
      assert.equal(releases.length, 3, 'attached, detached, and nothing between');
      assert.deepEqual(world.provider.liveResources().includes(addon.id), false);
    },
  );
});
