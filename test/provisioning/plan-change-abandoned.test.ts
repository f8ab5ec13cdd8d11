import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import type { OperationId } from '../../src/kernel/ids.js';
import { OperationRunner } from '../../src/provisioning/operation.runner.js';
import { assertRefused, ok } from '../support/api.js';
import { BreakOnceAt } from '../support/break-once-at.js';
import { Operator } from '../support/operator.js';
import type { AddonBody, AppBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

const LEASE_MS = 2_000;
const NEW_CONFIG = { config: { PG_URL: 'postgres://moved' } };
const SIDES = [null, 'operation.abandon.before_commit', 'operation.abandon.after_commit'];

describe('a plan change that an operator gives up', () => {
  const death = new BreakOnceAt();
  let world: World;
  let operator: Operator;
  let app: AppBody;
  let addon: AddonBody;
  beforeAll(async () => {
    world = await World.start({
      crashPoints: death,
      waits: { providerTimeoutMs: 2_000, leaseMs: LEASE_MS, settleMs: 1_500 },
    });
    world.clock.freeze();
    operator = new Operator(world);
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    death.point = null;
    world.provider.onPlanChange(null);
    app = await world.newApp();
    addon = await world.addAddon(app.name);
    // Which operation is the newest is told by time.
    world.clock.advance(1);
  });

  const path = () => `/apps/${app.name}/addons/${addon.name}`;
  const change = () => world.api.patch<AddonBody>(path(), { plan: 'pg:std' });
  const remove = () => {
    world.clock.advance(1);
    return world.api.delete<AddonBody>(path());
  };
  const abandon = async (body: object = {}) =>
    operator.abandon((await operator.operationOf(addon.id)).id, body);
  const show = async () => ok(await world.api.get<AddonBody>(`/addons/${addon.id}`));
  const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
  const findings = async () =>
    (await operator.findings()).filter((one) => one.addon.id === addon.id).map(({ kind }) => kind);
  const operationState = async () => (await world.statesOf(addon.id)).operation;
  const changesSent = () =>
    world.provider.calls
      .filter(({ id, verb }) => id === addon.id && verb === 'change_plan')
      .map(({ body }) => body?.plan);

  /** A dead worker's lease ends, since here the clock stands still. */
  async function run(): Promise<void> {
    world.clock.advance(LEASE_MS + 1);
    await world.runUntilQuiet(3_000);
  }

  /** Plan and charge agree on both sides, and nothing is open. */
  async function assertAgreed(slug: string, cents: string): Promise<void> {
    assert.equal((await show()).plan.name, `pg:${slug}`);
    assert.equal(world.provider.planOf(addon.id), slug, 'the plan at the provider');
    const charged = await world.database.query(
      `SELECT slug, pp.price_cents AS cents FROM addon_plan_periods pp JOIN plans p ON p.id = pp.plan_id
       WHERE addon_id = $1 AND ended_at IS NULL`,
      [addon.id],
    );
    assert.deepEqual(charged, [{ slug, cents }]);
    await assertNothingOpen();
  }

  async function assertNothingOpen(): Promise<void> {
    assert.deepEqual(await world.database.query('SELECT 1 FROM operations WHERE finished_at IS NULL'), []);
    assert.deepEqual(await findings(), []);
  }

  it.each(SIDES)('after a call without a verdict is taken back, with a death at %s', async (point) => {
    world.provider.onPlanChange({ status: 500, works: true });
    assert.equal((await change()).status, 202);
    assert.equal(await operationState(), 'unsure');
    const { plan, target_plan } = await operator.operationOf(addon.id);
    assert.deepEqual([plan, target_plan], ['pg:mini', 'pg:std']);
    death.point = point;
    if (point !== null) assert.equal((await abandon()).status, 500);
    const { id } = await operator.operationOf(addon.id);
    ok(await abandon());
    await run();
    assert.deepEqual(changesSent(), ['std', 'mini']);
    assert.equal((await operator.audited('operation.abandoned', id)).length, 1);
    await assertAgreed('mini', '500');
  });

  it('during the call counts when the provider says yes, with the credentials that come along', async () => {
    let release = (): void => undefined;
    world.provider.onPlanChange({
      status: 200,
      works: true,
      body: NEW_CONFIG,
      until: new Promise((resolve) => (release = resolve)),
    });
    const changing = change();
    await until(() => assert.deepEqual(changesSent(), ['std']));
    assert.equal(ok(await abandon()).state, 'calling');
    release();
    await changing;
    await run();
    assert.equal(await operationState(), 'succeeded');
    assert.equal((await vars()).DATABASE_URL, 'postgres://moved');
    await assertAgreed('std', '5000');
  });

  it.each(['plan_change.before_call', 'plan_change.after_call'])(
    'is taken back by the next worker when the first one died at %s',
    async (point) => {
      death.point = point;
      await change();
      assert.equal(await operationState(), 'calling');
      assert.equal(ok(await abandon()).state, 'calling');
      await run();
      assert.equal(changesSent().at(-1), 'mini');
      assert.equal(await operationState(), 'failed');
      await assertAgreed('mini', '500');
    },
  );

  it.each(SIDES)('while it is taken back must be meant, and leaves a finding, %s', async (point) => {
    world.provider.onPlanChange({ status: 500, works: true });
    world.provider.onPlanChange({ status: 422, body: '' }, true);
    await change();
    await until(async () => {
      world.clock.advance(1_000);
      await world.walkRounds();
      assert.deepEqual(await findings(), ['plan_unconfirmed']);
    });
    assertRefused(await abandon(), 422, 'abandon_unconfirmed');
    const { id } = await operator.operationOf(addon.id);
    death.point = point;
    const meant = { without_confirmation: true };
    if (point !== null) assert.equal((await operator.abandon(id, meant)).status, 500);
    assert.equal(ok(await operator.abandon(id, meant)).state, 'failed');
    assert.deepEqual(await findings(), ['plan_abandoned']);
    assert.equal((await show()).plan.name, 'pg:mini');
    // A plan that the provider confirms later ends the doubt.
    world.provider.onPlanChange(null);
    world.clock.advance(1);
    assert.ok((await change()).status < 300);
    await run();
    await assertAgreed('std', '5000');
  });

  it('leaves no finding once the add-on is gone', async () => {
    world.provider.onPlanChange({ status: 500, works: true });
    world.provider.onPlanChange({ status: 500, body: '' }, true);
    await change();
    ok(await abandon());
    await until(async () => assert.equal(changesSent().at(-1), 'mini'));
    ok(await abandon({ without_confirmation: true }));
    assert.deepEqual(await findings(), ['plan_abandoned']);
    ok(await remove());
    await run();
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    assert.equal(world.provider.planOf(addon.id), undefined);
    await assertNothingOpen();
  });

  it('before anything was sent ends at once, without a word to the provider', async () => {
    const idle = await World.start({ role: 'api', waits: { settleMs: 0 } });
    try {
      const { name } = await idle.newApp();
      const { id } = await idle.addAddon(name);
      const its = new Operator(idle);
      await idle.broker.app.get(OperationRunner).advance((await its.operationOf(id)).id as OperationId);
      idle.clock.advance(1);
      ok(await idle.api.patch(`/apps/${name}/addons/${id}`, { plan: 'pg:std' }));
      assert.equal(ok(await its.abandon((await its.operationOf(id)).id)).state, 'failed');
      assert.deepEqual(idle.provider.callsOf(id), ['provision']);
      const after = ok(await idle.api.get<AddonBody>(`/addons/${id}`));
      assert.equal(after.plan.name, 'pg:mini');
      assert.deepEqual(await its.findings(), []);
    } finally {
      await idle.stop();
    }
  });
});
