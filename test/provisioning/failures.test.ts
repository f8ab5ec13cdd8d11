import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok } from '../support/api.js';
import type { AddonBody, AppBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { queueBackends, World } from '../support/world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What a provider may do wrong, and what must follow, whichever backend the queue is on. */
describe.each(queueBackends())('with the queue on %s', (queue) => {
  let world: World;
  let app: AppBody;
  beforeAll(async () => {
    world = await World.start({ queue, waits: { providerTimeoutMs: 400, leaseMs: 2_000, settleMs: 1_500 } });
    world.clock.freeze();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    world.provider.onProvision(null);
    world.provider.onDeprovision(null);
    world.provider.idsOfItsOwn = false;
    app = await world.newApp();
  });

  const create = async (name: string) =>
    world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini', name });
  const show = async (id: string) => (await world.api.get<AddonBody>(`/addons/${id}`)).body;
  const vars = async () => ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));

  /** Whatever happened, both sides must hold the same in the end. */
  async function assertNothingLeftOver(): Promise<void> {
    const rows = await world.database.query<{ id: string }>(
      "SELECT id FROM addons WHERE state = 'provisioned'",
    );
    assert.deepEqual(world.provider.liveResources(), rows.map(({ id }) => id).sort());
    const open = await world.database.query('SELECT 1 FROM operations WHERE finished_at IS NULL');
    assert.equal(open.length, 0);
  }

  it.each([
    ['hangs', { hang: true }],
    ['hangs after it made the resource', { hang: true, works: true }],
    ['resets the connection', { reset: true }],
    ['resets after it made the resource', { reset: true, works: true }],
    ['answers 500', { status: 500, body: { message: 'Oops.' } }],
    ['answers 503 after it made the resource', { status: 503, works: true, body: '' }],
    ['answers 429', { status: 429, body: {} }],
    [
      'answers 200 with HTML',
      { status: 200, works: true, body: '<h1>ok</h1>', headers: { 'content-type': 'text/html' } },
    ],
    ['answers 200 without an id', { status: 200, works: true, body: { config: {} } }],
    [
      'answers with a config var that its manifest lacks',
      { status: 200, works: true, body: { id: 'x', config: { OTHER_URL: 'y' } } },
    ],
    ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' }, body: '' }],
    ['answers 204', { status: 204, works: true, body: '' }],
  ])('a provider that %s once is asked again with the same uuid', async (_case, script) => {
    world.provider.onProvision(script);
    const answer = ok(await create(`again-${app.name}`));
    assert.equal(answer.state, 'provisioning');
    assert.deepEqual(await vars(), {});
    await world.runUntilQuiet();
    assert.equal((await show(answer.id)).state, 'provisioned');
    assert.deepEqual(world.provider.callsOf(answer.id), ['provision', 'provision']);
    assert.deepEqual(Object.keys(await vars()).sort(), ['DATABASE_POOL_URL', 'DATABASE_URL']);
    await assertNothingLeftOver();
  });

  it('a creation without a verdict by its deadline is given up, and deleted at the provider until that is confirmed', async () => {
    world.provider.onProvision({ hang: true, works: true }, true);
    world.provider.onDeprovision({ status: 500 });
    const addon = ok(await create('never-answers'));
    world.clock.advance(16 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    });
    const shown = await show(addon.id);
    assert.equal(shown.state, 'deprovisioned');
    assert.match(shown.provision_message ?? '', /could not be created in time/);
    await world.runUntilQuiet();
    assert.equal(world.provider.callsOf(addon.id).filter((verb) => verb === 'deprovision').length, 2);
    assert.deepEqual(await vars(), {});
    await assertNothingLeftOver();
  });

  it('a refusal after a call without a verdict is believed for the customer, and cleaned up at the provider', async () => {
    world.provider.onProvision({ hang: true, works: true });
    world.provider.onProvision({ status: 422, body: { message: 'You have one already.' } });
    const addon = ok(await create('refused-in-doubt'));
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'provision', 'deprovision']);
    assert.deepEqual(await world.statesOf(addon.id), {
      addon: 'deprovisioned',
      operation: 'failed',
      failed: true,
    });
    await assertNothingLeftOver();
  });

  it.each([
    ['a 202', { status: 202, works: true }],
    ['an answer that is none', { status: 200, works: true, adds: { config: { OTHER_URL: 'y' } } }],
  ])('the id that %s named is the one that a clean-up deletes', async (_case, script) => {
    world.provider.idsOfItsOwn = true;
    world.provider.onProvision(script, true);
    const addon = ok(await create(`own-id-${app.name}`));
    world.clock.advance(13 * HOUR_MS);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(`own-${addon.id}`), ['deprovision']);
    assert.equal((await world.statesOf(addon.id)).failed, true);
    await assertNothingLeftOver();
  });

  it('a provider that names another id than before is a finding that stays', async () => {
    world.provider.onProvision({
      status: 200,
      works: true,
      body: { id: `lost-${app.name}`, config: { X: 'y' } },
    });
    world.provider.onProvision({
      status: 200,
      works: true,
      body: { id: `also-lost-${app.name}`, config: { X: 'y' } },
    });
    const addon = ok(await create(`ids-${app.name}`));
    await world.runUntilQuiet();
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    await world.runUntilQuiet();
    const [finding] = await world.database.query<{ kind: string; detail: string; resolved_at: Date | null }>(
      'SELECT kind, detail, resolved_at FROM findings WHERE addon_id = $1',
      [addon.id],
    );
    assert.equal(finding?.kind, 'provider_id_changed');
    assert.match(
      finding.detail,
      new RegExp(` lost-${app.name}.* also-lost-${app.name}.*\n.*also-lost-${app.name}.* ${addon.id}`),
    );
    assert.equal(finding.resolved_at, null);
  });

  it('an id that another live add-on has is not believed', async () => {
    const first = ok(await create(`first-${app.name}`));
    world.provider.onProvision({
      status: 200,
      works: true,
      body: { id: first.id, config: { PG_URL: 'postgres://stolen' } },
    });
    const second = ok(await create(`second-${app.name}`));
    assert.equal(second.state, 'provisioning');
    await world.runUntilQuiet();
    assert.equal((await show(second.id)).provider_id, second.id);
    await assertNothingLeftOver();
  });

  it('a delete that the provider does not confirm is repeated; the customer is done at once', async () => {
    const addon = ok(await create('hard-to-delete'));
    world.provider.onDeprovision({ status: 500 });
    world.provider.onDeprovision({ reset: true });
    world.provider.onDeprovision({ hang: true });
    const answer = ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`));
    assert.equal(answer.state, 'deprovisioning');
    assert.deepEqual(await vars(), {});
    const ended = await world.database.query(
      'SELECT 1 FROM addon_plan_periods WHERE addon_id = $1 AND ended_at IS NOT NULL',
      [addon.id],
    );
    assert.equal(ended.length, 1);
    await world.runUntilQuiet();
    assert.equal(world.provider.callsOf(addon.id).filter((verb) => verb === 'deprovision').length, 4);
    await assertNothingLeftOver();
  });

  it('asking again for a delete that the provider did not confirm does not bring its next try forward', async () => {
    const addon = ok(await create(`impatient-${app.name}`));
    world.provider.onDeprovision({ status: 500 });
    const remove = () => world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`);
    for (let time = 0; time < 3; time += 1) assert.equal(ok(await remove()).state, 'deprovisioning');
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision', 'deprovision']);
    await assertNothingLeftOver();
  });

  it.each([404, 410, 200, 204])('a delete answered with %i is confirmed', async (status) => {
    const addon = ok(await create(`gone-${status}-${app.name}`));
    world.provider.onDeprovision({ status, works: true, body: status === 204 ? '' : 'ok' });
    assert.equal(
      ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${addon.name}`)).state,
      'deprovisioned',
    );
    await assertNothingLeftOver();
  });

  it('a delete that stays unconfirmed for a day becomes a finding, which closes when it is confirmed', async () => {
    const addon = ok(await create('never-deleted'));
    world.provider.onDeprovision({ status: 500 }, true);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    const findings = async () => {
      const all = ok(await world.api.get<{ kind: string; addon: { id: string } }[]>('/admin/findings'));
      return all.filter((one) => one.addon.id === addon.id).map(({ kind }) => kind);
    };
    world.clock.advance(25 * HOUR_MS);
    await until(async () => {
      await world.walkRounds();
      assert.deepEqual(await findings(), ['delete_unconfirmed']);
    });
    world.provider.onDeprovision(null);
    await world.runUntilQuiet(15 * MINUTE_MS);
    assert.deepEqual(await findings(), []);
    await assertNothingLeftOver();
  });

  it('a delete during a creation is kept, and starts when the creation has ended', async () => {
    let release = () => {};
    const until_ = new Promise<void>((resolve) => (release = resolve));
    world.provider.onProvision({ until: until_ });
    const creating = create('deleted-meanwhile');
    const id = await until(async () => {
      const [row] = await world.database.query<{ id: string }>(
        "SELECT a.id FROM addons a JOIN operations o ON o.addon_id = a.id WHERE name = 'deleted-meanwhile' AND o.state = 'calling'",
      );
      assert.ok(row);
      return row.id;
    });
    assert.equal(
      ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${id}`)).state,
      'deprovisioning',
    );
    release();
    await creating;
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(id).at(-1), 'deprovision');
    assert.deepEqual(await world.statesOf(id), {
      addon: 'deprovisioned',
      operation: 'succeeded',
      failed: false,
    });
    assert.deepEqual(await vars(), {});
    assert.deepEqual(
      await world.database.query('SELECT 1 FROM addon_plan_periods WHERE addon_id = $1', [id]),
      [],
    );
    await assertNothingLeftOver();
  });

  it('a late worker changes nothing once another has claimed the operation', async () => {
    let release = () => {};
    const until_ = new Promise<void>((resolve) => (release = resolve));
    // Longer than its lease, though within what the test gives the call.
    world.provider.onProvision({ until: until_ });
    const addon = ok(await create('late-worker'));
    await world.runUntilQuiet(5_000);
    const before = await world.database.query(
      'SELECT id, state, attempt, updated_at FROM operations WHERE addon_id = $1',
      [addon.id],
    );
    release();
    await until(() => assert.equal(world.provider.callsOf(addon.id).length, 2));
    const after = await world.database.query(
      'SELECT id, state, attempt, updated_at FROM operations WHERE addon_id = $1',
      [addon.id],
    );
    assert.deepEqual(after, before);
    await assertNothingLeftOver();
  });

  it('a provider that is not there at all is the same as one that does not answer', async () => {
    await world.importManifest({
      api: {
        ...(world.provider.manifest().api as object),
        production: { base_url: 'http://127.0.0.1:1/heroku/resources', sso_url: 'http://127.0.0.1:1/sso' },
      },
    });
    const addon = ok(await create('nobody-home'));
    assert.equal(addon.state, 'provisioning');
    assertRefused(await create('nobody-home'), 422, 'addon_name_taken');
    await world.importManifest();
    await world.runUntilQuiet();
    assert.equal((await show(addon.id)).state, 'provisioned');
    await assertNothingLeftOver();
  });

  it('an operation is advanced by one worker, however many jobs it has', async () => {
    const addon = ok(await create('many-jobs'));
    const [operation] = await world.database.query<{ id: string }>(
      'SELECT id FROM operations WHERE addon_id = $1',
      [addon.id],
    );
    for (let copy = 0; copy < 20; copy += 1)
      await world.database.query(
        "INSERT INTO outbox (job, payload, created_at) VALUES ('operation.advance', $1, now())",
        [{ operationId: operation?.id }],
      );
    await until(async () => assert.deepEqual(await world.database.query('SELECT 1 FROM outbox'), []));
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision']);
  });
});
