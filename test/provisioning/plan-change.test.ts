import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import type { OperationId } from '../../src/kernel/ids.js';
import { OperationRunner } from '../../src/provisioning/operation.runner.js';
import { assertRefused, ok } from '../support/api.js';
import type { Script } from '../support/fake-provider.js';
import type { AddonBody, AppBody, ReleaseBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { queueBackends, World } from '../support/world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LEASE_MS = 2_000;

const NEW_CONFIG = { config: { PG_URL: 'postgres://moved' } };

const FAULTS: [string, Script][] = [
  ['hangs', { hang: true }],
  ['hangs after it changed the plan', { hang: true, works: true }],
  ['resets the connection', { reset: true }],
  ['resets after it changed the plan', { reset: true, works: true }],
  ['answers 500', { status: 500, body: { message: 'Oops.' } }],
  ['answers 503 after it changed the plan', { status: 503, works: true, body: '' }],
  ['answers 429', { status: 429, body: {} }],
  ['answers 408', { status: 408, body: '' }],
  ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' }, body: '' }],
  ['is cut off in its answer', { status: 200, works: true, body: '{"config": {"PG_URL": "postg' }],
  ['says config that is none', { status: 200, works: true, body: { config: 'PG_URL=x' } }],
  ['says a config var that its manifest lacks', { status: 200, works: true, body: { config: { X: 'y' } } }],
  ['says far too much', { status: 200, works: true, body: 'x'.repeat(1_100_000) }],
];

// On one backend: the queue has no part in what is recorded, and plan-change-meanwhile.test.ts is for both.
describe.each(queueBackends().slice(0, 1))('with the queue on %s, a plan change', (queue) => {
  let world: World;
  let app: AppBody;
  let addon: AddonBody;
  beforeAll(async () => {
    world = await World.start({
      queue,
      waits: { providerTimeoutMs: 400, leaseMs: LEASE_MS, settleMs: 1_500 },
    });
    world.clock.freeze();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    world.provider.onProvision(null);
    world.provider.onDeprovision(null);
    world.provider.onPlanChange(null);
    world.provider.planRefused = null;
    app = await world.newApp();
    addon = await world.addAddon(app.name);
    // Which operation is the newest is told by time.
    world.clock.advance(1);
  });

  const change = (plan = 'pg:std') =>
    world.api.patch<AddonBody>(`/apps/${app.name}/addons/${addon.name}`, { plan });
  const remove = () => {
    world.clock.advance(1);
    return world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`);
  };
  const show = async () => ok(await world.api.get<AddonBody>(`/addons/${addon.id}`));
  const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
  const countReleases = async () =>
    ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`)).length;
  const findings = async () => {
    const all = ok(await world.api.get<{ kind: string; addon: { id: string } }[]>('/admin/findings'));
    return all.filter((one) => one.addon.id === addon.id).map(({ kind }) => kind);
  };
  const operationState = async () => (await world.statesOf(addon.id)).operation;
  const changesSent = () =>
    world.provider.calls
      .filter(({ id, verb }) => id === addon.id && verb === 'change_plan')
      .map(({ body }) => body?.plan);

  /** A dead worker's lease ends, since here the clock stands still. */
  async function run(): Promise<void> {
    world.clock.advance(LEASE_MS + 1);
    // Small steps: a deadline must not pass while a job is on its way.
    await world.runUntilQuiet(3_000);
  }

  /** Plan, price and history agree on both sides, and nothing runs. */
  async function assertAgreed(slug: string, cents: string): Promise<void> {
    assert.equal((await show()).plan.name, `pg:${slug}`);
    assert.equal(world.provider.planOf(addon.id), slug, 'the plan at the provider');
    const open = await world.database.query<{ slug: string; price_cents: string }>(
      `SELECT slug, pp.price_cents FROM addon_plan_periods pp JOIN plans p ON p.id = pp.plan_id
       WHERE addon_id = $1 AND ended_at IS NULL`,
      [addon.id],
    );
    assert.deepEqual(open, [{ slug, price_cents: cents }]);
    const periods = await world.database.query('SELECT 1 FROM addon_plan_periods WHERE addon_id = $1', [
      addon.id,
    ]);
    assert.equal(periods.length, slug === 'mini' ? 1 : 2);
    await assertQuiet();
  }

  async function assertGone(): Promise<void> {
    assert.deepEqual(await world.statesOf(addon.id), {
      addon: 'deprovisioned',
      operation: 'succeeded',
      failed: false,
    });
    assert.equal(world.provider.planOf(addon.id), undefined);
    assert.deepEqual(await vars(), {});
    await assertQuiet();
  }

  async function assertQuiet(): Promise<void> {
    const live = await world.database.query<{ id: string }>(
      "SELECT id FROM addons WHERE state = 'provisioned' ORDER BY id",
    );
    assert.deepEqual(world.provider.liveResources(), live.map(({ id }) => id).sort());
    assert.deepEqual(await world.database.query('SELECT 1 FROM operations WHERE finished_at IS NULL'), []);
    assert.deepEqual(await findings(), []);
  }

  // With a death at each point of the way: fault-matrix.test.ts.
  it.each(FAULTS)('of a provider that %s once is asked again for the same plan', async (_what, fault) => {
    world.provider.onPlanChange(fault);
    world.provider.onPlanChange({ works: true, status: 200, body: NEW_CONFIG }, true);
    const answer = await change();
    assert.equal(answer.status, 202);
    assert.equal(answer.body.plan.name, 'pg:mini', 'nothing is claimed that is not certain');
    assert.match(answer.body.provision_message ?? '', /not confirmed pg:std yet/);
    assert.equal((await vars()).DATABASE_URL?.includes(addon.id), true);
    await run();
    assert.ok(changesSent().every((plan) => plan === 'std'));
    assert.equal((await vars()).DATABASE_URL, 'postgres://moved');
    assert.equal(await countReleases(), 3, 'one release for the creation, one for the new value');
    await assertAgreed('std', '5000');
  });

  it('that succeeds at once is one release', async () => {
    world.provider.onPlanChange({ works: true, status: 200, body: NEW_CONFIG }, true);
    assert.ok((await change()).status < 300);
    await run();
    assert.equal(await countReleases(), 3);
    await assertAgreed('std', '5000');
  });

  it('that is refused leaves everything as it was', async () => {
    const before = await vars();
    world.provider.planRefused = 'std';
    await change();
    await run();
    assert.equal(await operationState(), 'failed');
    assert.deepEqual(await vars(), before);
    assert.equal(await countReleases(), 2);
    await assertAgreed('mini', '500');
  });

  it('without a verdict by its deadline is taken back: the old plan is asked for until that is confirmed', async () => {
    world.provider.onPlanChange({ hang: true, works: true }, true);
    assert.equal((await change()).status, 202);
    world.clock.advance(16 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal(await operationState(), 'reverting');
      assert.equal(changesSent().at(-1), 'mini');
    });
    assert.equal((await show()).plan.name, 'pg:mini');
    assertRefused(await change('pg:free'), 422, 'operation_in_flight');
    world.provider.onPlanChange(null);
    await run();
    assert.equal(await operationState(), 'failed');
    assert.deepEqual(changesSent().slice(-1), ['mini']);
    await assertAgreed('mini', '500');
  });

  it.each([
    ['hangs', { hang: true, works: true }],
    ['answers 500', { status: 500, body: '' }],
  ])(
    'that a provider which %s cannot take back becomes a finding after a day, which closes',
    async (_what, fault) => {
      world.provider.onPlanChange(fault, true);
      await change();
      world.clock.advance(16 * MINUTE_MS);
      await until(async () => {
        await world.walkRounds();
        assert.equal(await operationState(), 'reverting');
      });
      assert.deepEqual(await findings(), []);
      await until(async () => {
        world.clock.advance(HOUR_MS);
        await world.walkRounds();
        assert.deepEqual(await findings(), ['plan_unconfirmed']);
      });
      assert.equal((await show()).plan.name, 'pg:mini');
      world.provider.onPlanChange(null);
      world.clock.advance(HOUR_MS);
      await run();
      await assertAgreed('mini', '500');
    },
  );

  it('that the provider refuses to take back is a finding at once', async () => {
    world.provider.onPlanChange({ hang: true, works: true });
    world.provider.onPlanChange({ status: 422, body: { message: 'Busy.' } });
    world.provider.onPlanChange({ status: 422, body: { message: 'It does not fit any more.' } }, true);
    await change();
    await until(async () => {
      world.clock.advance(1_000);
      await world.walkRounds();
      assert.deepEqual(await findings(), ['plan_unconfirmed']);
    });
    assert.equal(await operationState(), 'reverting');
    world.provider.onPlanChange(null);
    world.clock.advance(HOUR_MS);
    await run();
    await assertAgreed('mini', '500');
  });

  it('that a provider cannot make is no doubt, also after a call without a verdict', async () => {
    world.provider.onPlanChange({ status: 503 });
    world.provider.onPlanChange({ status: 405, body: '' }, true);
    await change();
    await run();
    assert.deepEqual(changesSent(), ['std', 'std']);
    assert.equal(await operationState(), 'failed');
    await assertAgreed('mini', '500');
  });

  it('takes the credentials that a provider made on its way back', async () => {
    world.provider.onPlanChange({ hang: true, works: true });
    world.provider.onPlanChange({ status: 422, body: { message: 'Busy.' } });
    world.provider.onPlanChange({ works: true, status: 200, body: NEW_CONFIG }, true);
    await change();
    await run();
    assert.equal((await vars()).DATABASE_URL, 'postgres://moved');
    assert.equal(await countReleases(), 3);
    await assertAgreed('mini', '500');
  });

  it('asked for ten times at once is made once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => change()));
    const won = answers.filter(({ status }) => status < 300);
    for (const answer of answers.filter(({ status }) => status >= 300))
      assertRefused(answer, 422, 'operation_in_flight');
    assert.ok(won.length >= 1);
    await run();
    assert.deepEqual(changesSent(), ['std']);
    await assertAgreed('std', '5000');
  });

  it('to two plans at once: one wins, and both sides have it', async () => {
    const [std, free] = await Promise.all([change('pg:std'), change('pg:free')]);
    await run();
    const winner = (await show()).plan.name;
    assert.ok(std.status < 300 || free.status < 300);
    assert.equal(`pg:${world.provider.planOf(addon.id)}`, winner);
    await assertQuiet();
  });

  it('that rests between two tries makes way for a delete at once', async () => {
    world.provider.onPlanChange({ status: 500, works: true }, true);
    assert.equal((await change()).status, 202);
    assert.equal(await operationState(), 'unsure');
    ok(await remove());
    // The clock stands still, so its next try would never come.
    await until(async () => assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned'));
    assert.deepEqual(changesSent(), ['std']);
    await assertGone();
  });

  it('that is being taken back makes way for a delete at once, with its finding', async () => {
    world.provider.onPlanChange({ status: 500, works: true });
    world.provider.onPlanChange({ status: 422, body: '' }, true);
    await change();
    await until(async () => {
      world.clock.advance(1_000);
      await world.walkRounds();
      assert.deepEqual(await findings(), ['plan_unconfirmed']);
    });
    ok(await remove());
    await until(async () => assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned'));
    await assertGone();
  });

  it('and a delete at once, many times: whatever comes first, nothing is left', async () => {
    for (let time = 0; time < 5; time += 1) {
      addon = await world.addAddon(app.name);
      await Promise.all([change(), remove()]);
      await run();
      assert.equal(world.provider.planOf(addon.id), undefined);
    }
    addon = await world.addAddon(app.name);
    await assertQuiet();
  });

  it('of an add-on on a destroyed app makes no release', async () => {
    world.provider.onPlanChange({ status: 500 });
    await change();
    ok(await world.api.delete(`/apps/${app.name}`));
    await run();
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    await assertQuiet();
  });

  it('to a plan that leaves the manifest meanwhile goes on, and the plan stays for it', async () => {
    await world.importManifest({
      plans: [
        ...(world.provider.manifest().plans as object[]),
        { id: 'brief', name: 'Brief', price: { cents: 7 } },
      ],
    });
    world.provider.onPlanChange({ status: 500 });
    assert.equal((await change('pg:brief')).status, 202);
    await world.importManifest();
    await run();
    await assertAgreed('brief', '7');
  });

  it('keeps the price at which it was asked for', async () => {
    world.provider.onPlanChange({ status: 500 });
    await change();
    await world.importManifest({
      plans: [
        { id: 'mini', name: 'Mini', price: { cents: 500 }, default: true },
        { id: 'std', name: 'Standard', price: { cents: 9_999 } },
      ],
    });
    await run();
    await assertAgreed('std', '5000');
    await world.importManifest();
  });
});

it('a plan change that was never sent by its deadline fails without a word to the provider', async () => {
  const world = await World.start({ role: 'api', waits: { settleMs: 0 } });
  try {
    const advance = async () => {
      const open = await world.database.query<{ id: string }>(
        'SELECT id FROM operations WHERE finished_at IS NULL',
      );
      for (const { id } of open) await world.broker.app.get(OperationRunner).advance(id as OperationId);
    };
    const { name } = await world.newApp();
    const { id } = await world.addAddon(name);
    await advance();
    const path = `/apps/${name}/addons/${id}`;
    assert.equal((await world.api.patch(path, { plan: 'pg:std' })).status, 202);
    world.clock.advance(16 * MINUTE_MS);
    await advance();
    assert.equal((await world.statesOf(id)).operation, 'failed');
    assert.deepEqual(world.provider.callsOf(id), ['provision']);
    assert.equal(ok(await world.api.get<AddonBody>(path)).plan.name, 'pg:mini');
  } finally {
    await world.stop();
  }
});
