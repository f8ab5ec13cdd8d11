import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import { Operator, type PauseBody } from '../../support/operator.js';
import type { AddonBody, AppBody } from '../../support/resources.js';
import { until } from '../../support/until.js';
import { World } from '../../support/world.js';

const MINUTE_MS = 60_000;
type Noted = AddonBody & { notices: { key: string; severity: string; message: string }[] };

let world: World;
let operator: Operator;
let customer: Api;
let app: AppBody;
beforeAll(async () => {
  world = await World.start({ waits: { providerTimeoutMs: 1_000, leaseMs: 3_000, settleMs: 1_500 } });
  world.clock.freeze();
  operator = new Operator(world);
  customer = await world.newAccount();
});
afterAll(() => world.stop());
beforeEach(async () => {
  for (const pause of ok(await world.api.get<PauseBody[]>('/admin/pauses'))) await operator.resume(pause);
  world.provider.onProvision(null);
  world.provider.onDeprovision(null);
  await world.runUntilQuiet();
  app = await world.newApp(customer);
});

const create = (plan = 'pg:mini', on = app) =>
  customer.post<Noted & { message: string }>(`/apps/${on.name}/addons`, { plan });

describe('a pause', () => {
  it.each([
    ['a service', { service: 'pg' }, /^pg is paused by the operator: Maintenance until noon\. Nothing was/],
    ['a plan', { plan: 'pg:mini' }, /^pg:mini is paused/],
    ['a region', { region: 'us' }, /^The region us is paused/],
  ])('of %s refuses creations at once with its reason, until it ends', async (_case, target, words) => {
    const calls = world.provider.calls.length;
    const pause = await operator.pause(target, 'Maintenance until noon');
    const refused = await create();
    assertRefused(refused, 422, 'service_paused');
    assert.match(refused.body.message, words);
    assert.equal(world.provider.calls.length, calls);
    assert.deepEqual(ok(await customer.get(`/apps/${app.name}/addons`)), []);
    await operator.resume(pause);
    assert.equal(ok(await create()).state, 'provisioned');
  });

  it('of one plan or region leaves the others alone', async () => {
    await operator.pause({ plan: 'pg:std' });
    await operator.pause({ region: 'eu' });
    assert.equal(ok(await create()).state, 'provisioned');
    assertRefused(await create('pg:std'), 422, 'service_paused');
  });

  it('of a service holds what is running there, and shows its customers why', async () => {
    world.provider.onProvision({ status: 500, body: {} });
    const waiting = ok(await create());
    const had = ok(await create());
    assert.equal(had.state, 'provisioned');
    const pause = await operator.pause({ service: 'pg' }, 'the disks are being replaced');
    world.clock.advance(MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await operator.operationOf(waiting.id)).held_by, 'paused');
    });
    const shown = await customer.get<Noted>(`/addons/${waiting.id}`);
    assert.deepEqual(
      shown.body.notices.map(({ key, severity, message }) => [key, severity, message]),
      [
        [
          'souk.paused',
          'warning',
          'pg is paused by the operator: the disks are being replaced. What was asked for waits, and goes on by itself when that ends.',
        ],
      ],
    );
    assert.match(shown.headers.get('x-heroku-warning') ?? '', /is paused by the operator/);
    const untouched = await customer.get<Noted>(`/addons/${had.id}`);
    assert.equal(untouched.headers.get('x-heroku-warning'), null);
    assert.equal(untouched.body.notices[0]?.severity, 'info');
    const calls = world.provider.calls.length;
    // A delete is done for its customer; the provider is told later.
    ok(await customer.delete(`/apps/${app.name}/addons/${had.id}`));
    assert.deepEqual(ok(await customer.get(`/apps/${app.name}/config-vars`)), {});
    world.clock.advance(2 * MINUTE_MS);
    await world.walkRounds();
    assert.equal(world.provider.calls.length, calls);
    assert.deepEqual((await operator.provider()).operations, { open: 2, held: 2 });
    assertRefused(await operator.retry((await operator.operationOf(waiting.id)).id), 422, 'service_paused');
    await operator.resume(pause);
    await world.runUntilQuiet(5_000);
    assert.equal((await customer.get<Noted>(`/addons/${waiting.id}`)).body.state, 'provisioned');
    assert.deepEqual((await customer.get<Noted>(`/addons/${waiting.id}`)).body.notices, []);
    assert.deepEqual(world.provider.callsOf(had.id), ['provision', 'deprovision']);
  });

  it('takes the claim of a worker that overslept its lease, so that its late answer counts for nothing', async () => {
    let answer: () => void = () => undefined;
    world.provider.onProvision({ until: new Promise((resolve) => (answer = resolve)) });
    const before = world.provider.calls.length;
    const creating = create();
    await until(async () => assert.equal(world.provider.calls.length, before + 1));
    const id = String(world.provider.calls.at(-1)?.id);
    const pause = await operator.pause({ service: 'pg' });
    await until(async () => {
      world.clock.advance(4_000);
      await world.walkRounds();
      assert.equal((await operator.operationOf(id)).held_by, 'paused');
    });
    const held = await operator.operationOf(id);
    assert.deepEqual([held.state, held.attempt], ['unsure', 2]);
    answer();
    ok(await creating);
    assert.equal((await operator.operationOf(id)).state, 'unsure');
    await operator.resume(pause);
    await world.runUntilQuiet(5_000);
    assert.equal((await world.statesOf(id)).addon, 'provisioned');
    assert.deepEqual(world.provider.callsOf(id), ['provision', 'provision']);
  });

  it('leaves deadlines as they are: a creation that it holds too long is given up, and cleaned up after it', async () => {
    world.provider.onProvision({ status: 500, works: true, body: {} });
    const addon = ok(await create());
    const pause = await operator.pause({ service: 'pg' });
    world.clock.advance(20 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    });
    const calls = world.provider.callsOf(addon.id);
    assert.deepEqual(calls, ['provision']);
    await operator.resume(pause);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    assert.ok(!world.provider.liveResources().includes(addon.id));
  });

  it('is begun once and ended once by many at once, and both are audited with who and why', async () => {
    const begun = await Promise.all(
      Array.from({ length: 6 }, (_, index) => operator.pause({ service: 'pg' }, `reason ${index}`)),
    );
    assert.equal(new Set(begun.map(({ id }) => id)).size, 1);
    const [pause] = begun;
    assert.ok(pause !== undefined);
    const ended = await Promise.all(Array.from({ length: 6 }, () => operator.resume(pause)));
    assert.equal(new Set(ended.map(({ resumed_at }) => resumed_at)).size, 1);
    const [one, ...more] = await operator.audited('pause.begun', pause.id);
    assert.deepEqual(
      [one?.actor_name, one?.details.reason, more.length],
      ['operator@souk.test', pause.reason, 0],
    );
    assert.equal((await operator.audited('pause.ended', pause.id)).length, 1);
  });

  it('needs one target that there is, and a reason', async () => {
    const pause = (body: object) => world.api.post('/admin/pauses', body);
    assertRefused(await pause({ reason: 'because' }), 422, 'pause_target_invalid');
    assertRefused(
      await pause({ service: 'pg', region: 'us', reason: 'because' }),
      422,
      'pause_target_invalid',
    );
    assertRefused(await pause({ service: 'pg' }), 422, 'invalid_params');
    assertRefused(await pause({ service: 'pg', reason: 'a\u001b[31m' }), 422, 'invalid_params');
    assertRefused(await pause({ service: 'none', reason: 'because' }), 404, 'not_found');
    assertRefused(await pause({ plan: 'pg:none', reason: 'because' }), 404, 'not_found');
    assertRefused(await pause({ region: 'moon', reason: 'because' }), 422, 'region_unknown');
    assertRefused(await world.api.post('/admin/pauses/x/resume', { reason: 'because' }), 404, 'not_found');
    assertRefused(
      await customer.post('/admin/pauses', { service: 'pg', reason: 'because' }),
      403,
      'forbidden',
    );
  });

  it('shows in the list of providers and in the metrics', async () => {
    await operator.pause({ service: 'pg' }, 'disks');
    assert.equal((await operator.provider()).paused, 'disks');
    await until(async () => {
      const text = (await world.anonymous.get<string>('/metrics')).body;
      assert.match(text, /souk_paused\{scope="provider",target="pg"\} 1/);
    });
  });
});
