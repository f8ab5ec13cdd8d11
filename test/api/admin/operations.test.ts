import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok } from '../../support/api.js';
import { Operator, type OperationBody } from '../../support/operator.js';
import type { AddonBody, AppBody } from '../../support/resources.js';
import type { Script } from '../../support/fake-provider.js';
import { until } from '../../support/until.js';
import { World } from '../../support/world.js';
import type { OperationId } from '../../../src/kernel/ids.js';
import { OperationRunner } from '../../../src/provisioning/operation.runner.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let world: World;
let operator: Operator;
let app: AppBody;
beforeAll(async () => {
  world = await World.start({ waits: { providerTimeoutMs: 2_000, leaseMs: 4_000, settleMs: 1_000 } });
  world.clock.freeze();
  operator = new Operator(world);
});
afterAll(() => world.stop());
beforeEach(async () => {
  world.provider.onProvision(null);
  world.provider.onDeprovision(null);
  world.provider.idsOfItsOwn = false;
  await world.runUntilQuiet();
  app = await world.newApp();
});

const create = async (body: object = {}) =>
  ok(await world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini', ...body }));
const destroy = async (addon: AddonBody) => {
  world.clock.advance(1);
  return ok(await world.api.delete(`/apps/${app.name}/addons/${addon.id}`));
};
const list = async (query: string, range?: string) =>
  world.api.get<OperationBody[]>(`/admin/operations?${query}`, range === undefined ? {} : { range });

/** Both sides must hold the same in the end. */
async function assertNothingLeftOver(): Promise<void> {
  const rows = await world.database.query<{ id: string }>(
    "SELECT id FROM addons WHERE state = 'provisioned'",
  );
  assert.deepEqual(world.provider.liveResources(), rows.map(({ id }) => id).sort());
}

describe('the list of operations', () => {
  it('is filtered by state, type, service, app, add-on and lateness, of all accounts', async () => {
    const customer = await world.newAccount();
    const theirs = await world.newApp(customer);
    const done = await world.addAddon(theirs.name, 'pg:mini', customer);
    world.provider.onProvision({ status: 500, body: {} }, true);
    world.clock.advance(1_000);
    const open = ok(await customer.post<AddonBody>(`/apps/${theirs.name}/addons`, { plan: 'pg:mini' }));
    const addons = async (query: string) =>
      ok(await list(`app=${theirs.name}&${query}`)).map(({ addon }) => addon.id);
    assert.deepEqual(await addons(''), [open.id, done.id]);
    assert.deepEqual(await addons('state=open'), [open.id]);
    assert.deepEqual(await addons('state=unsure'), [open.id]);
    assert.deepEqual(await addons('state=succeeded'), [done.id]);
    assert.deepEqual(await addons('type=deprovision'), []);
    assert.deepEqual(await addons('service=pg'), [open.id, done.id]);
    assert.deepEqual(await addons('service=other'), []);
    assert.deepEqual(await addons(`addon=${done.name}`), [done.id]);
    assert.deepEqual(await addons('late=true'), []);
    assert.deepEqual(await addons('stuck=true'), []);
    // Its worker died, its lease ran out, and no other one came.
    await world.database.query(
      `UPDATE operations SET created_at = created_at - interval '1 hour', nudged_until = 'infinity',
         next_attempt_at = next_attempt_at - interval '1 hour' WHERE addon_id = $1`,
      [open.id],
    );
    assert.deepEqual(await addons('late=true'), [open.id]);
    assert.deepEqual(await addons('stuck=true'), [open.id]);
    await world.database.query('UPDATE operations SET nudged_until = NULL WHERE addon_id = $1', [open.id]);
    assertRefused(await list('state=nonsense'), 422, 'invalid_params');
    assertRefused(await customer.get('/admin/operations'), 403, 'forbidden');
  });

  it('comes in pages, newest first', async () => {
    for (let index = 0; index < 5; index += 1) await create();
    const seen: string[] = [];
    let range = 'created_at ..; order=desc, max=2';
    for (;;) {
      const page = await list(`app=${app.name}`, range);
      seen.push(...page.body.map(({ id }) => id));
      const next = page.headers.get('next-range');
      assert.equal(page.status, next === null ? 200 : 206);
      if (next === null) break;
      range = next;
    }
    assert.deepEqual(
      seen,
      ok(await list(`app=${app.name}`)).map(({ id }) => id),
    );
    assert.equal(new Set(seen).size, 5);
    assertRefused(await list('', 'created_at nonsense..'), 416, 'invalid_range');
  });
});

describe('one operation', () => {
  it('shows each call with what was sent and what came back, and no secret of either', async () => {
    world.provider.onProvision({ status: 503, body: { message: 'busy', token: 'tok-of-the-provider' } });
    const addon = await create({ config: { password: 'option-that-is-secret' } });
    await world.runUntilQuiet();
    const history = await operator.operationOf(addon.id);
    assert.deepEqual(
      history.attempts.map(({ attempt, call, verdict, status }) => [attempt, call, verdict, status]),
      [
        [2, 'provision', 'done', 200],
        [1, 'provision', 'unknown', 503],
      ],
    );
    const [second, first] = history.attempts;
    assert.equal(first?.request?.method, 'POST');
    assert.equal(first.request.body?.uuid, addon.id);
    assert.equal(first.request.body.plan, 'mini');
    assert.deepEqual(first.request.body.options, { password: '[text of 21 characters]' });
    assert.deepEqual(first.reply?.body, { message: 'busy', token: '[text of 19 characters]' });
    assert.match(
      String((second?.reply?.body?.config as { PG_URL: string }).PG_URL),
      /^\[text of \d+ characters\]$/,
    );
    const stored = JSON.stringify(
      await world.database.query('SELECT * FROM operation_attempts WHERE operation_id = $1', [history.id]),
    );
    assert.doesNotMatch(stored, new RegExp(`secret-${addon.id}|option-that-is|tok-of-the|partner-password`));
    assert.doesNotMatch(JSON.stringify(history), new RegExp(`secret-${addon.id}|option-that-is|tok-of-the`));
  });

  it('that there is not is not found, whatever is asked of it', async () => {
    for (const id of [randomUUID(), 'nonsense']) {
      assertRefused(await world.api.get(`/admin/operations/${id}`), 404, 'not_found');
      assertRefused(await operator.retry(id), 404, 'not_found');
      assertRefused(await operator.abandon(id), 404, 'not_found');
    }
  });
});

describe('retry', () => {
  it('makes the next call now, once, whoever asks how often, and is audited', async () => {
    world.provider.onProvision({ status: 503, body: {}, headers: { 'retry-after': '800' } });
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    const answers = await Promise.all(Array.from({ length: 5 }, () => operator.retry(id)));
    // Those that came when it had ended already are told so.
    for (const answer of answers.filter(({ status }) => status !== 200))
      assertRefused(answer, 422, 'operation_finished');
    await until(async () => assert.equal((await operator.operationOf(addon.id)).state, 'succeeded'));
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'provision']);
    const audited = await operator.audited('operation.retried', id);
    assert.deepEqual(
      audited.map(({ actor_name, details }) => [actor_name, details.reason]),
      [['operator@souk.test', 'the provider is back']],
    );
    assertRefused(await operator.retry(id), 422, 'operation_finished');
    assertRefused(await world.api.post(`/admin/operations/${id}/retry`, {}), 422, 'invalid_params');
  });

  it('asks a delete again that its provider accepted, and leaves a creation waiting that it accepted', async () => {
    world.provider.onProvision({ status: 202, works: true });
    const accepted = await create();
    const creation = await operator.operationOf(accepted.id);
    assertRefused(await operator.retry(creation.id), 422, 'operation_waiting');
    ok(await operator.abandon(creation.id));
    await world.runUntilQuiet();
    const addon = await create();
    world.provider.onDeprovision({ status: 202 });
    await destroy(addon);
    const deletion = await operator.operationOf(addon.id);
    assert.equal(deletion.state, 'waiting');
    ok(await operator.retry(deletion.id));
    await until(async () => assert.equal((await operator.operationOf(addon.id)).state, 'succeeded'));
    assert.deepEqual(await operator.findings(), []);
    await world.runUntilQuiet();
    await assertNothingLeftOver();
  });
});

describe('abandon', () => {
  it('ends a creation for its customer at once, and has the provider delete until that is confirmed', async () => {
    world.provider.onProvision({ status: 500, works: true, body: {} });
    world.provider.onDeprovision({ status: 500, body: {} });
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    const answers = await Promise.all(Array.from({ length: 4 }, () => operator.abandon(id)));
    for (const answer of answers) assert.equal(answer.status, 200);
    const shown = ok(await world.api.get<AddonBody>(`/addons/${addon.id}`));
    assert.equal(shown.state, 'deprovisioned');
    assert.match(shown.provision_message ?? '', /The operator ended the creation/);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision', 'deprovision']);
    assert.equal((await operator.operationOf(addon.id)).state, 'failed');
    const audited = await operator.audited('operation.abandoned', id);
    assert.deepEqual(
      audited.map(({ actor_name, details }) => [actor_name, details.reason]),
      [['operator@souk.test', 'nobody wants it any more']],
    );
    ok(await operator.abandon(id));
    assert.deepEqual(await operator.findings(), []);
    await assertNothingLeftOver();
  });

  it('of a creation that nobody heard of ends it without any call', async () => {
    const pause = await operator.pause({ region: 'eu' });
    await operator.resume(pause);
    world.provider.onProvision({ status: 500, body: {} }, true);
    await Promise.all(Array.from({ length: 5 }, () => create()));
    await until(async () => assert.equal((await operator.provider()).circuit, 'open'));
    const addon = await create();
    const history = await operator.operationOf(addon.id);
    assert.equal(history.state, 'queued');
    assert.equal(ok(await operator.abandon(history.id)).state, 'failed');
    world.provider.onProvision(null);
    await world.runUntilQuiet(5_000);
    assert.deepEqual(world.provider.callsOf(addon.id), []);
    await assertNothingLeftOver();
  });

  it.each<[string, Script, boolean]>([
    ['answers', {}, true],
    ['answers 202', { status: 202, works: true }, true],
    ['refuses', { status: 422, body: { message: 'No.' } }, false],
    ['answers nonsense', { status: 200, works: true, body: 'nonsense' }, false],
    ['resets', { reset: true, works: true }, false],
  ])('during a call that %s cleans up whatever the call made', async (_case, script, namesItsOwnId) => {
    world.provider.idsOfItsOwn = namesItsOwnId;
    let release = (): void => undefined;
    world.provider.onProvision({ ...script, until: new Promise((resolve) => (release = resolve)) });
    const calls = world.provider.calls.length;
    const name = `during-${app.name}`;
    const creating = world.api.post<AddonBody>(`/apps/${app.name}/addons`, { plan: 'pg:mini', name });
    await until(() => assert.equal(world.provider.calls.length, calls + 1));
    const addon = ok(await world.api.get<AddonBody>(`/addons/${name}`));
    const history = await operator.operationOf(addon.id);
    assert.equal(history.state, 'calling');
    assert.equal(ok(await operator.abandon(history.id)).state, 'calling');
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    release();
    await creating;
    await world.runUntilQuiet();
    assert.equal((await operator.operationOf(addon.id)).state, 'failed');
    assert.deepEqual(ok(await world.api.get(`/apps/${app.name}/config-vars`)), {});
    await assertNothingLeftOver();
  });

  it('during a call whose worker dies cleans up when its lease has run out', async () => {
    world.provider.onProvision({ status: 500, works: true, body: {} });
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    // What a process leaves that died in its call.
    await world.database.query(
      `UPDATE operations SET state = 'calling', attempt = attempt + 1, lease_until = $2, next_attempt_at = $2 WHERE id = $1`,
      [id, new Date(world.clock.now().getTime() + 4_000)],
    );
    assert.equal(ok(await operator.abandon(id)).state, 'calling');
    world.clock.advance(5_000);
    await world.runUntilQuiet();
    assert.deepEqual(world.provider.callsOf(addon.id), ['provision', 'deprovision']);
    assert.equal((await operator.operationOf(addon.id)).state, 'failed');
    await assertNothingLeftOver();
  });

  it('of a delete needs to be meant, ends it with a finding, and a late worker changes nothing', async () => {
    const addon = await create();
    let release = (): void => undefined;
    world.provider.onDeprovision({
      status: 500,
      body: {},
      until: new Promise((resolve) => (release = resolve)),
    });
    const deleting = destroy(addon);
    await until(() => assert.ok(world.provider.callsOf(addon.id).includes('deprovision')));
    const { id } = await operator.operationOf(addon.id);
    assertRefused(await operator.abandon(id), 422, 'abandon_unconfirmed');
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => operator.abandon(id, { without_confirmation: true })),
    );
    for (const answer of answers) assert.equal(answer.body.state, 'failed');
    release();
    await deleting;
    const after = await operator.operationOf(addon.id);
    assert.deepEqual([after.state, after.attempts], ['failed', []]);
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    const [finding, ...more] = await operator.findings();
    assert.deepEqual([finding?.kind, finding?.addon.id, more.length], ['delete_abandoned', addon.id, 0]);
    assert.match(finding?.detail ?? '', /nobody wants it any more\. The provider may still hold/);
    assert.equal((await operator.audited('operation.abandoned', id)).length, 1);
    world.clock.advance(HOUR_MS);
    await world.walkRounds();
    assert.equal(world.provider.callsOf(addon.id).filter((verb) => verb === 'deprovision').length, 1);
    await closeAll();
    world.provider.forget(addon.id);
  });

  it('of a clean-up that never confirms ends it with a finding, but not by a second click', async () => {
    world.provider.onProvision({ status: 500, works: true, body: {} });
    world.provider.onDeprovision({ status: 500, body: {} }, true);
    const addon = await create();
    const { id } = await operator.operationOf(addon.id);
    ok(await operator.abandon(id));
    await until(() => assert.ok(world.provider.callsOf(addon.id).includes('deprovision')));
    assert.equal(ok(await operator.abandon(id)).state, 'cleaning');
    assert.equal(ok(await operator.abandon(id, { without_confirmation: true })).state, 'failed');
    assert.deepEqual(
      (await operator.findings()).map(({ kind }) => kind),
      ['delete_abandoned'],
    );
    await closeAll();
    world.provider.forget(addon.id);
  });

  it('and workers at the same time leave one truth, whoever wins', async () => {
    world.provider.onProvision({ status: 500, works: true, body: {} }, true);
    const addons = await Promise.all(Array.from({ length: 4 }, () => create()));
    world.provider.onProvision(null);
    world.clock.advance(2_000);
    const runner = world.broker.app.get(OperationRunner);
    const ids = await Promise.all(addons.map(async ({ id }) => (await operator.operationOf(id)).id));
    const answers = await Promise.all(
      ids.flatMap((id) => [
        runner.advance(id as OperationId).then(() => null),
        operator.abandon(id),
        runner.advance(id as OperationId).then(() => null),
        operator.retry(id),
      ]),
    );
    for (const answer of answers)
      if (answer !== null && answer.status !== 200) assertRefused(answer, 422, 'operation_finished');
    await world.runUntilQuiet();
    for (const { id } of addons) {
      const { addon, operation } = await world.statesOf(id);
      assert.ok(
        (addon === 'provisioned' && operation === 'succeeded') ||
          (addon === 'deprovisioned' && operation === 'failed'),
        `${addon} ${operation}`,
      );
    }
    await assertNothingLeftOver();
  });
});

async function closeAll(): Promise<void> {
  for (const { id } of await operator.findings())
    ok(await world.api.post(`/admin/findings/${id}/close`, { reason: 'looked at by the tests' }));
}

describe('findings', () => {
  it('are closed by a person with a reason, once, and listed by state', async () => {
    world.provider.onProvision({
      status: 200,
      works: true,
      body: { id: `a-${app.name}`, config: { X: 'y' } },
    });
    world.provider.onProvision({
      status: 200,
      works: true,
      body: { id: `b-${app.name}`, config: { X: 'y' } },
    });
    await create();
    await world.runUntilQuiet();
    const [finding] = await operator.findings();
    assert.equal(finding?.kind, 'provider_id_changed');
    const close = (reason: string) =>
      world.api.post<{ resolution: string }>(`/admin/findings/${finding.id}/close`, { reason });
    const closed = await Promise.all(['first look', 'second look', 'third look'].map(close));
    assert.equal(new Set(closed.map((answer) => ok(answer).resolution)).size, 1);
    assert.deepEqual(await operator.findings(), []);
    const resolved = (await operator.findings('resolved')).find(({ id }) => id === finding.id);
    assert.deepEqual(
      [resolved?.resolved_by, resolved?.resolution],
      ['operator@souk.test', ok(closed[0] ?? assert.fail()).resolution],
    );
    assert.ok((await operator.findings('all')).some(({ id }) => id === finding.id));
    assert.equal((await operator.audited('finding.closed', finding.id)).length, 1);
    for (const id of [randomUUID(), 'nonsense'])
      assertRefused(
        await world.api.post(`/admin/findings/${id}/close`, { reason: 'none' }),
        404,
        'not_found',
      );
    assertRefused(await world.api.post(`/admin/findings/${finding.id}/close`, {}), 422, 'invalid_params');
    await destroyAll();
  });
});

async function destroyAll(): Promise<void> {
  const addons = ok(await world.api.get<AddonBody[]>(`/apps/${app.name}/addons`));
  for (const addon of addons) await destroy(addon);
  await world.runUntilQuiet();
}
