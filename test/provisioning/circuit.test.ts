import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { ok } from '../support/api.js';
import { Operator } from '../support/operator.js';
import type { AddonBody, AppBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';
import type { OperationId } from '../../src/kernel/ids.js';
import { OperationRunner } from '../../src/provisioning/operation.runner.js';

const MINUTE_MS = 60_000;
type Noted = AddonBody & { notices: { key: string; severity: string; message: string }[] };

describe('a provider that does not answer', () => {
  let world: World;
  let operator: Operator;
  let app: AppBody;
  beforeAll(async () => {
    world = await World.start({ waits: { providerTimeoutMs: 1_000, leaseMs: 3_000, settleMs: 1_500 } });
    world.clock.freeze();
    operator = new Operator(world);
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    world.provider.onProvision(null);
    world.provider.onDeprovision(null);
    await world.runUntilQuiet();
    app = await world.newApp();
    // An answer closes what the test before left.
    await world.addAddon(app.name);
    assert.equal((await operator.provider()).circuit, 'closed');
  });

  const create = async () => ok(await world.api.post<Noted>(`/apps/${app.name}/addons`, { plan: 'pg:mini' }));
  const provisions = () => world.provider.calls.filter(({ verb }) => verb === 'provision').length;

  /** Five creations go without an answer. */
  async function openTheCircuit(): Promise<Noted[]> {
    world.provider.onProvision({ status: 500, body: {} }, true);
    const addons = await Promise.all(Array.from({ length: 5 }, create));
    await until(async () => assert.equal((await operator.provider()).circuit, 'open'));
    return addons;
  }

  it('is left alone after five operations, which their customers see, and called again when it answers', async () => {
    await openTheCircuit();
    const before = provisions();
    const answer = await world.api.post<Noted>(`/apps/${app.name}/addons`, { plan: 'pg:mini' });
    const addon = ok(answer);
    assert.equal(addon.state, 'provisioning');
    assert.equal(provisions(), before, 'no call is made');
    const [notice] = addon.notices;
    assert.equal(notice?.key, 'souk.unanswered');
    assert.match(
      notice.message,
      /^The provider does not answer at the moment; trying again at \d{4}-\d\d-\d\dT[\d:]+Z\.$/,
    );
    assert.match(answer.headers.get('x-heroku-warning') ?? '', /does not answer at the moment/);
    const listed = ok(await world.api.get<Noted[]>(`/apps/${app.name}/addons`));
    assert.equal(listed.find(({ id }) => id === addon.id)?.notices.length, 1);
    const notices = ok(await world.api.get<{ key: string }[]>(`/addons/${addon.id}/notices`));
    assert.deepEqual(
      notices.map(({ key }) => key),
      ['souk.unanswered'],
    );
    const held = await operator.operationOf(addon.id);
    assert.deepEqual([held.state, held.held_by, held.attempt], ['queued', 'circuit', 0]);
    assert.ok(new Date(held.deadline_at) > world.clock.now());
    world.provider.onProvision(null);
    await world.runUntilQuiet(5_000);
    assert.equal((await operator.provider()).circuit, 'closed');
    const shown = ok(await world.api.get<Noted>(`/addons/${addon.id}`));
    assert.deepEqual([shown.state, shown.notices], ['provisioned', []]);
  });

  it('gets one call at a time to try, whoever asks, and longer pauses while it stays away', async () => {
    const addons = await openTheCircuit();
    const ids = await Promise.all(addons.map(async ({ id }) => (await operator.operationOf(id)).id));
    let release = (): void => undefined;
    world.provider.onProvision(
      { status: 500, body: {}, until: new Promise((resolve) => (release = resolve)) },
      true,
    );
    const before = provisions();
    world.clock.advance(2 * MINUTE_MS);
    const runner = world.broker.app.get(OperationRunner);
    const tries = Promise.all([...ids, ...ids].map((id) => runner.advance(id as OperationId)));
    await until(() => assert.equal(provisions(), before + 1));
    assert.equal((await operator.provider()).circuit, 'half_open');
    await world.walkRounds();
    release();
    await tries;
    assert.equal(provisions(), before + 1, 'one call went through');
    const [row] = await world.database.query<{ state: string; trips: number; ms: number }>(
      `SELECT state, trips, extract(epoch FROM probe_at - $1::timestamptz) * 1000 AS ms FROM provider_circuits`,
      [world.clock.now()],
    );
    assert.deepEqual([row?.state, row?.trips], ['open', 2]);
    assert.ok(Number(row?.ms) >= 10_000 && Number(row?.ms) <= 20_000, `${row?.ms} ms`);
  });

  it('is tried by another operation when the worker that tried is lost', async () => {
    const addons = await openTheCircuit();
    world.clock.advance(2 * MINUTE_MS);
    // What a process leaves that died after its claim.
    await world.database.query(
      `UPDATE provider_circuits SET state = 'half_open', probe_at = $1, probe_operation_id = gen_random_uuid()`,
      [new Date(world.clock.now().getTime() + 3_000)],
    );
    world.provider.onProvision(null);
    const runner = world.broker.app.get(OperationRunner);
    const { id } = await operator.operationOf(addons[0]?.id ?? '');
    const before = provisions();
    await runner.advance(id as OperationId);
    assert.equal(provisions(), before);
    assert.equal((await operator.operationOf(addons[0]?.id ?? '')).held_by, 'circuit');
    await world.runUntilQuiet(10_000);
    assert.equal((await operator.provider()).circuit, 'closed');
  });

  it('keeps deletes waiting too; their customers are done, and a deadline still gives creations up', async () => {
    const addon = await world.addAddon(app.name);
    const [stuck] = await openTheCircuit();
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    assert.ok(!world.provider.callsOf(addon.id).includes('deprovision'));
    assert.equal((await operator.operationOf(addon.id)).held_by, 'circuit');
    world.provider.onDeprovision({ status: 500, body: {} }, true);
    world.clock.advance(16 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await world.statesOf(stuck?.id ?? '')).addon, 'deprovisioned');
    });
    world.provider.onDeprovision(null);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id).at(-1), 'deprovision');
    assert.ok(!world.provider.liveResources().includes(addon.id));
  });

  it('is not left alone because of one resource that it cannot handle', async () => {
    const addon = await world.addAddon(app.name);
    world.provider.onDeprovision({ status: 500, body: {} }, true);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    const { id } = await operator.operationOf(addon.id);
    for (let round = 0; round < 8; round += 1) {
      world.clock.advance(11 * MINUTE_MS);
      await world.broker.app.get(OperationRunner).advance(id as OperationId);
    }
    assert.ok((await operator.operationOf(addon.id)).attempt >= 8);
    assert.equal((await operator.provider()).circuit, 'closed');
    assert.equal((await create()).state, 'provisioned');
  });

  it('is called at once when an operator retries an operation that waits for it', async () => {
    const [addon] = await openTheCircuit();
    const { id } = await operator.operationOf(addon?.id ?? '');
    world.provider.onProvision(null);
    ok(await operator.retry(id));
    await until(async () => assert.equal((await operator.operationOf(addon?.id ?? '')).state, 'succeeded'));
    assert.equal((await operator.provider()).circuit, 'closed');
    await world.runUntilQuiet();
  });

  it.each([
    ['503 and seconds', 503, '600', 600],
    ['429 and seconds', 429, '600', 600],
    ['a time that is too long', 503, '999999', 3_600],
    ['500, whose Retry-After means nothing', 500, '600', 0],
  ])('moves the next call by its Retry-After: %s', async (_case, status, header, seconds) => {
    world.provider.onProvision({ status, body: {}, headers: { 'retry-after': header } });
    const addon = await create();
    const at = new Date((await operator.operationOf(addon.id)).next_attempt_at);
    const waitsMs = at.getTime() - world.clock.now().getTime();
    const deadlineMs = 15 * MINUTE_MS;
    const expected = Math.min(seconds * 1_000, deadlineMs);
    assert.ok(waitsMs >= expected && waitsMs <= expected + 1_000, `${waitsMs} ms`);
    await world.runUntilQuiet();
  });

  it('moves the next call by a Retry-After with a date', async () => {
    const date = new Date(world.clock.now().getTime() + 5 * MINUTE_MS);
    world.provider.onProvision({ status: 503, body: {}, headers: { 'retry-after': date.toUTCString() } });
    const addon = await create();
    const at = new Date((await operator.operationOf(addon.id)).next_attempt_at);
    assert.ok(Math.abs(at.getTime() - date.getTime()) <= 1_000);
    await world.runUntilQuiet();
  });

  it("waits after a 202 for as long as the plan's manifest says", async () => {
    const manifest = world.provider.manifest();
    const plans = (manifest.plans as object[]).map((plan) => ({ ...plan, async_deadline_seconds: 3_600 }));
    await world.importManifest({ plans });
    world.provider.onProvision({ status: 202, works: true });
    const addon = await create();
    const { deadline_at, state } = await operator.operationOf(addon.id);
    assert.equal(state, 'waiting');
    assert.equal(new Date(deadline_at).getTime() - world.clock.now().getTime(), 3_600_000);
    await world.importManifest();
    await assert.rejects(
      world.importManifest({ plans: [{ id: 'mini', price: { cents: 1 }, async_deadline_seconds: 5 }] }),
      /async_deadline_seconds must be a whole number from 60 to 604800/,
    );
    await world.runUntilQuiet();
    assert.ok(!world.provider.liveResources().includes(addon.id));
  });

  it('shows in the metrics', async () => {
    await openTheCircuit();
    await until(async () => {
      const text = (await world.anonymous.get<string>('/metrics')).body;
      assert.match(text, /souk_provider_circuit\{service="pg"\} 2/);
    });
  });
});
