import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { ok } from '../support/api.js';
import { BreakOnceAt } from '../support/break-once-at.js';
import { Operator } from '../support/operator.js';
import type { AddonBody, AppBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

describe('an intervention that breaks off', () => {
  const crash = new BreakOnceAt();
  let world: World;
  let operator: Operator;
  let app: AppBody;
  beforeAll(async () => {
    world = await World.start({
      crashPoints: crash,
      waits: { providerTimeoutMs: 1_000, leaseMs: 3_000, settleMs: 1_000 },
    });
    world.clock.freeze();
    operator = new Operator(world);
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    world.provider.onProvision(null);
    world.provider.onDeprovision(null);
    await world.runUntilQuiet();
    app = await world.newApp();
  });

  const create = async () =>
    ok(await world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini' }));
  const SIDES = ['before_commit', 'after_commit'] as const;

  it.each(SIDES)('a retry, %s: doing it again ends the same', async (side) => {
    world.provider.onProvision({ status: 503, body: {}, headers: { 'retry-after': '800' } });
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    crash.point = `operation.retry.${side}`;
    assert.equal((await operator.retry(id)).status, 500);
    const again = await operator.retry(id);
    assert.ok([200, 422].includes(again.status));
    await until(async () => assert.equal((await operator.operationOf(addon.id)).state, 'succeeded'));
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'provision']);
    assert.equal((await operator.audited('operation.retried', id)).length, 1);
  });

  it.each(SIDES)('an abandoned creation, %s: doing it again ends the same', async (side) => {
    world.provider.onProvision({ status: 500, works: true, body: {} });
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    crash.point = `operation.abandon.${side}`;
    assert.equal((await operator.abandon(id)).status, 500);
    ok(await operator.abandon(id));
    await world.runUntilQuiet();
    assert.deepEqual(await world.statesOf(addon.id), {
      addon: 'deprovisioned',
      operation: 'failed',
      failed: true,
    });
    assert.equal((await operator.audited('operation.abandoned', id)).length, 1);
    assert.ok(!world.provider.liveResources().includes(addon.id));
  });

  it.each(SIDES)('an abandoned delete, %s: one finding, one end', async (side) => {
    const addon = await create();
    world.provider.onDeprovision({ status: 500, body: {} }, true);
    world.clock.advance(1);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    const { id } = await operator.operationOf(addon.id);
    crash.point = `operation.abandon.${side}`;
    assert.equal((await operator.abandon(id, { without_confirmation: true })).status, 500);
    ok(await operator.abandon(id, { without_confirmation: true }));
    const findings = (await operator.findings()).filter((one) => one.addon.id === addon.id);
    assert.deepEqual(
      findings.map(({ kind }) => kind),
      ['delete_abandoned'],
    );
    crash.point = `finding.close.${side}`;
    const close = () =>
      world.api.post(`/admin/findings/${findings[0]?.id}/close`, { reason: 'removed by hand' });
    assert.equal((await close()).status, 500);
    ok(await close());
    assert.equal((await operator.audited('finding.closed', findings[0]?.id ?? '')).length, 1);
    world.provider.forget(addon.id);
  });

  it.each(SIDES)('a pause and its end, %s', async (side) => {
    world.provider.onProvision({ status: 500, body: {} });
    const addon = await create();
    const begin = () =>
      world.api.post<{ id: string }>('/admin/pauses', { service: 'pg', reason: 'new disks' });
    crash.point = `pause.begin.${side}`;
    assert.equal((await begin()).status, 500);
    const pause = ok(await begin());
    world.clock.advance(60_000);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await operator.operationOf(addon.id)).held_by, 'paused');
    });
    crash.point = `pause.end.${side}`;
    const end = () => world.api.post(`/admin/pauses/${pause.id}/resume`, { reason: 'done' });
    assert.equal((await end()).status, 500);
    ok(await end());
    await world.runUntilQuiet(5_000);
    assert.equal(ok(await world.api.get<AddonBody>(`/addons/${addon.id}`)).state, 'provisioned');
    assert.equal((await operator.audited('pause.begun', pause.id)).length, 1);
    assert.equal((await operator.audited('pause.ended', pause.id)).length, 1);
  });
});
