import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../support/api.js';
import { BreakOnceAt } from '../support/break-once-at.js';
import type { Script } from '../support/fake-provider.js';
import { Operator } from '../support/operator.js';
import type { AddonBody, AppBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { queueBackends, World } from '../support/world.js';

const MINUTE_MS = 60_000;
const LEASE_MS = 2_000;
const SECRET = 'sesame-open-sesame';

interface RunBody {
  id: string;
  state: string;
  result: { run: string; echo: object } | null;
  message: string | null;
}

const ACTIONS = [
  {
    name: 'backups.create',
    title: 'Make a backup',
    kind: 'command',
    params: {
      type: 'object',
      required: ['label'],
      properties: { label: { type: 'string', maxLength: 40 }, keep: { type: 'integer', minimum: 1 } },
    },
    result: { type: 'object', required: ['run'], properties: { run: { type: 'string' } } },
  },
  { name: 'stats', title: 'Numbers', kind: 'query' },
  { name: 'wipe', title: 'Delete all data', kind: 'command', confirm: true },
];

const POINTS = [
  'action.claim.before_commit',
  'action.claim.after_commit',
  'action.before_call',
  'action.after_call',
  'action.record.before_commit',
  'action.record.after_commit',
];

const FAULTS: [string, Script][] = [
  ['hangs', { hang: true }],
  ['resets after it did the work', { reset: true, works: true }],
  ['answers 500', { status: 500, body: { message: 'Oops.' } }],
  ['answers 429', { status: 429, body: {} }],
  ['is cut off in its answer', { status: 200, works: true, body: '{"result": {"run": "' }],
  ['answers 202', { status: 202, works: true, body: {} }],
];

/** The two that tell most of a run that was cut off: the work is done, and nobody was told, or it goes on. */
const FAULTS_AND_DEATH = FAULTS.filter(([what]) => what.startsWith('resets') || what === 'answers 202');

describe.each(queueBackends().slice(0, 1))('with the queue on %s, an action', (queue) => {
  const death = new BreakOnceAt();
  let world: World;
  let app: AppBody;
  let addon: AddonBody;
  beforeAll(async () => {
    world = await World.start({
      queue,
      crashPoints: death,
      waits: { providerTimeoutMs: 400, leaseMs: LEASE_MS, settleMs: 1_500 },
    });
    world.clock.freeze();
    await world.importManifest({ souk: { default_attachment: 'DATABASE', actions: ACTIONS } });
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    death.point = null;
    world.provider.onAction(null);
    world.provider.onDeprovision(null);
    world.provider.actionsDone.length = 0;
    app = await world.newApp();
    addon = await world.addAddon(app.name);
    world.clock.advance(1);
  });

  const path = (name: string) => `/addons/${addon.name}/actions/${name}`;
  const backup = (params: object = { label: SECRET }, api: Api = world.api) =>
    api.post<RunBody>(path('backups.create'), { params });
  const show = async (run: string) =>
    ok(await world.api.get<RunBody>(`${path('backups.create')}/runs/${run}`));
  const runs = () =>
    world.database.query<{ id: string; state: string }>(
      `SELECT id, state FROM operations WHERE addon_id = $1 AND type = 'action' ORDER BY created_at`,
      [addon.id],
    );
  const audit = async () =>
    (
      await world.database.query<{ action: string }>(
        `SELECT action FROM audit_events WHERE subject_id = $1 AND action LIKE 'addon.action%' ORDER BY id`,
        [addon.id],
      )
    ).map(({ action }) => action);
  const findings = async () => {
    const all = ok(await world.api.get<{ kind: string; addon: { id: string } }[]>('/admin/findings'));
    return all.filter((one) => one.addon.id === addon.id).map(({ kind }) => kind);
  };
  const calls = () => world.provider.calls.filter(({ id, verb }) => id === addon.id && verb === 'action');

  async function run(): Promise<void> {
    world.clock.advance(LEASE_MS + 1);
    await world.runUntilQuiet(3_000);
  }

  async function assertDoneOnce(): Promise<void> {
    const [only, ...others] = await runs();
    assert.deepEqual(others, []);
    assert.equal(only?.state, 'succeeded');
    const ended = await show(only.id);
    assert.equal(ended.state, 'succeeded');
    assert.deepEqual(ended.result, { run: only.id, echo: { label: SECRET } });
    assert.deepEqual(
      world.provider.actionsDone,
      [{ run: only.id, name: 'backups.create', params: { label: SECRET } }],
      'done once at the provider',
    );
    assert.equal((await audit()).filter((one) => one === 'addon.action_succeeded').length, 1);
    assert.deepEqual(await findings(), []);
  }

  it('is listed with what it takes', async () => {
    const listed = ok(await world.api.get<{ name: string; kind: string }[]>(`/addons/${addon.id}/actions`));
    assert.deepEqual(
      listed.map(({ name, kind }) => [name, kind]),
      [
        ['backups.create', 'command'],
        ['stats', 'query'],
        ['wipe', 'command'],
      ],
    );
  });

  it('that the provider carries out at once comes back with its result', async () => {
    const answer = await backup();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.message, 'Done.');
    assert.deepEqual(answer.body.result, { run: answer.body.id, echo: { label: SECRET } });
    await assertDoneOnce();
    assert.deepEqual(await audit(), [
      'addon.action_requested',
      'addon.action_succeeded',
      'addon.action_result_read',
    ]);
  });

  it('leaves its params and result out of the history, and stores them encrypted', async () => {
    ok(await backup());
    const attempts = await world.database.query<{ text: string }>(
      `SELECT t::text AS text FROM operation_attempts t JOIN operations o ON o.id = t.operation_id WHERE o.addon_id = $1`,
      [addon.id],
    );
    const stored = await world.database.query<{ text: string }>(
      `SELECT r::text AS text FROM action_runs r JOIN operations o ON o.id = r.operation_id WHERE o.addon_id = $1`,
      [addon.id],
    );
    const trail = await world.database.query<{ text: string }>(
      'SELECT e::text AS text FROM audit_events e WHERE subject_id = $1',
      [addon.id],
    );
    assert.equal(stored.length, 1);
    for (const { text } of [...attempts, ...stored, ...trail])
      assert.equal(text.includes(SECRET), false, text);
  });

  describe.each([null, ...POINTS])('with a death at %s', (point) => {
    it.each(point === null ? FAULTS : FAULTS_AND_DEATH)(
      'of a provider that %s once is done once',
      async (_what, fault) => {
        death.point = point;
        world.provider.onAction(fault);
        const answer = await backup();
        assert.equal(answer.status, 202);
        assert.equal(answer.body.state, 'pending');
        await run();
        assert.equal(death.point, null, 'it passed the point');
        const [first] = await runs();
        assert.ok(
          calls().every(({ body }) => body?.id === first?.id),
          'one id for all calls',
        );
        await assertDoneOnce();
      },
    );

    it('that succeeds at once ends the same', async () => {
      death.point = point;
      assert.ok((await backup()).status < 300);
      await run();
      await assertDoneOnce();
    });

    it('that is refused ends the same', async () => {
      death.point = point;
      world.provider.onAction({ status: 422, body: { message: 'Too\u001b[31m many backups.' } }, true);
      const answer = await backup();
      await run();
      const [only] = await runs();
      assert.equal(only?.state, 'failed');
      assert.match((await show(only.id)).message ?? '', /many backups\./);
      if (point === null) {
        assertRefused(answer, 422, 'provider_refused');
        assert.equal(JSON.stringify(answer.body).includes('\\u001b'), false);
      }
      assert.equal((await audit()).at(-1), 'addon.action_failed');
      assert.deepEqual(await findings(), []);
    });
  });

  it.each(['action.request.before_commit', 'action.request.after_commit'])(
    'whose request dies at %s is there whole or not at all',
    async (point) => {
      death.point = point;
      assert.equal((await backup()).status, 500);
      await run();
      if (point.endsWith('before_commit')) {
        assert.deepEqual(await runs(), []);
        assert.deepEqual(calls(), []);
      } else await assertDoneOnce();
    },
  );

  it('is followed after a 202 until the provider is done', async () => {
    world.provider.onAction({ status: 202, body: {} }, true);
    const { id, state } = ok(await backup());
    assert.equal(state, 'pending');
    await until(async () => {
      world.clock.advance(MINUTE_MS);
      await world.walkRounds();
      assert.ok(calls().length >= 3);
    });
    assert.equal((await show(id)).state, 'pending');
    assertRefused(await backup(), 422, 'operation_in_flight');
    world.provider.onAction(null);
    await run();
    await assertDoneOnce();
  });

  it('without a verdict by its deadline fails, with a finding for a person', async () => {
    world.provider.onAction({ hang: true }, true);
    const { id } = ok(await backup());
    world.clock.advance(16 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await show(id)).state, 'failed');
    });
    assert.match((await show(id)).message ?? '', /ask the provider/);
    assert.deepEqual(await findings(), ['action_unconfirmed']);
    world.provider.onAction(null);
    assert.equal((await backup()).status, 200, 'the next one is not held up');
  });

  it('is followed no longer than the plan says, however often the provider answers 202', async () => {
    world.provider.onAction({ status: 202, body: {} }, true);
    const { id } = ok(await backup());
    await until(async () => {
      world.clock.advance(60 * MINUTE_MS);
      await world.walkRounds();
      assert.equal((await show(id)).state, 'failed');
    });
    assert.deepEqual(await findings(), ['action_unconfirmed']);
  });

  it('waits where its service is paused, and is never sent by its deadline', async () => {
    const operator = new Operator(world);
    const pause = await operator.pause({ service: 'pg' });
    const { id } = ok(await backup());
    world.clock.advance(16 * MINUTE_MS);
    await until(async () => {
      await world.walkRounds();
      assert.equal((await show(id)).state, 'failed');
    });
    assert.match((await show(id)).message ?? '', /was not carried out/);
    assert.deepEqual(calls(), []);
    assert.deepEqual(await findings(), []);
    await operator.resume(pause);
  });

  it('that rests between two tries makes way for a delete at once', async () => {
    world.provider.onAction({ status: 500 }, true);
    assert.equal((await backup()).status, 202);
    world.clock.advance(1);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    await until(async () => assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned'));
    assert.deepEqual(
      (await runs()).map(({ state }) => state),
      ['failed'],
    );
  });

  it('asked for ten times at once runs once at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => backup()));
    const won = answers.filter(({ status }) => status < 300);
    for (const answer of answers.filter(({ status }) => status >= 300))
      assertRefused(answer, 422, 'operation_in_flight');
    await run();
    assert.ok(won.length >= 1);
    assert.equal(world.provider.actionsDone.length, won.length);
  });

  it('with params that do not fit changes nothing', async () => {
    for (const params of [
      {},
      { label: 7 },
      { label: 'x'.repeat(41) },
      { label: 'x', keep: 0 },
      { label: 'x', no: 1 },
    ])
      assertRefused(await backup(params), 422, 'action_params_invalid');
    assertRefused(await world.api.post(path('wipe'), { params: {} }), 422, 'action_unconfirmed');
    assertRefused(await world.api.post(path('nonsense'), {}), 404, 'not_found');
    assert.equal((await world.api.post(path('stats'), { params: [] })).status, 422);
    assert.deepEqual(await runs(), []);
    assert.deepEqual(calls(), []);
    assert.deepEqual(await audit(), []);
    ok(await world.api.post(path('wipe'), { confirm: addon.name }));
    assert.deepEqual(
      world.provider.actionsDone.map(({ name }) => name),
      ['wipe'],
    );
  });

  it('whose result breaks the promise of the manifest is done, without it', async () => {
    world.provider.onAction({ works: true, status: 200, body: { result: { no: 'run' } } });
    const answer = ok(await backup());
    assert.equal(answer.state, 'succeeded');
    assert.equal(answer.result, null);
    assert.match(answer.message ?? '', /not what its manifest promises/);
  });

  it('of another account is not there', async () => {
    const { id } = ok(await backup());
    const other = await world.newAccount();
    assertRefused(await other.get(`/addons/${addon.id}/actions`), 404, 'not_found');
    assertRefused(await backup({ label: 'x' }, other), 404, 'not_found');
    assertRefused(await other.get(`${path('backups.create')}/runs/${id}`), 404, 'not_found');
    assertRefused(await world.api.get(`${path('backups.create')}/runs/${randomUUID()}`), 404, 'not_found');
    assertRefused(await world.api.get(`${path('stats')}/runs/${id}`), 404, 'not_found');
    assert.equal(calls().length, 1);
  });

  it('by a member of an app that only shares the add-on is a query at most', async () => {
    const friend = await world.newAccount('friend-of-actions@souk.test');
    const sharing = await world.newApp();
    ok(await world.api.post('/addon-attachments', { addon: addon.name, app: sharing.name }));
    ok(await world.api.post(`/apps/${sharing.name}/collaborators`, { user: 'friend-of-actions@souk.test' }));
    assert.equal((await friend.post(path('stats'), {})).status, 200);
    const refused = await backup({ label: 'x' }, friend);
    assertRefused(refused, 403, 'addon_of_another_app');
    assert.deepEqual(
      world.provider.actionsDone.map(({ name }) => name),
      ['stats'],
    );
  });
});
