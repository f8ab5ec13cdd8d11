import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, ok } from '../../support/api.js';
import { World } from '../../support/world.js';
import {
  LOOPBACK,
  manifestOf,
  moveTo,
  publish,
  pull,
  push,
  sentencesOf,
  type ManifestBody,
} from './support.js';

let world: World;
let maker: Api;
beforeAll(async () => {
  world = await World.start({ role: 'api', egressAllow: LOOPBACK });
  maker = await world.newAccount('maker@souk.test');
});
afterAll(() => world.stop());

const list = async (id: string, api = maker) =>
  ok(await api.get<{ id: string; created_at: string }[]>(`/api/v3/addons/${id}/manifests`));

describe('the first push', () => {
  it('claims the id, makes the secrets that are missing, and shows the client secret once', async () => {
    const pushed = manifestOf(world, 'acme-first');
    const answer = ok(await push(maker, 'acme-first', pushed));
    assert.match(answer.client_secret ?? '', /^[\w-]{32}$/);
    const { contents } = answer;
    assert.match(contents.api.password ?? '', /^[\w-]{32}$/);
    assert.match(contents.api.sso_salt ?? '', /^[\w-]{32}$/);
    assert.notEqual(contents.api.password, contents.api.sso_salt);
    assert.equal(contents.$base, 1);
    const { password: _password, sso_salt: _salt, ...api } = contents.api;
    assert.deepEqual({ ...contents, api, $base: undefined }, { ...pushed, $base: undefined });
    const pulled = ok(await maker.get<ManifestBody>('/api/v3/addons/acme-first/current_manifest'));
    assert.deepEqual(pulled, { contents });
  });

  it('keeps the secrets that the manifest has, and a client secret is not given back', async () => {
    const own = { password: 'my-password', sso_salt: 'my-salt', client_secret: 'my-client-secret-16' };
    const answer = ok(await push(maker, 'acme-own', manifestOf(world, 'acme-own', {}, own)));
    assert.equal(answer.client_secret, own.client_secret);
    assert.equal(answer.contents.api.password, own.password);
    assert.equal(answer.contents.api.sso_salt, own.sso_salt);
    assert.equal('client_secret' in (await pull(maker, 'acme-own')).api, false);
  });

  it('takes a $base from another platform, and adds the free plan test where there are no plans', async () => {
    ok(await push(maker, 'acme-moved', manifestOf(world, 'acme-moved', { $base: 48_213 })));
    const plans = ok(
      await maker.get<{ name: string; price: { cents: number }; default: boolean }[]>(
        '/addon-services/acme-moved/plans',
      ),
    );
    assert.deepEqual(
      plans.map(({ name, price, default: isDefault }) => [name, price.cents, isDefault]),
      [['acme-moved:test', 0, true]],
    );
    assert.equal('plans' in (await pull(maker, 'acme-moved')), false);
  });

  it('of many at once makes one revision, and one of them claims the id', async () => {
    const rivals = await Promise.all([1, 2, 3, 4].map(() => world.newAccount()));
    const answers = await Promise.all(
      rivals.map((api, index) =>
        push(api, 'acme-race', manifestOf(world, 'acme-race', { name: `N${index}` })),
      ),
    );
    const winners = answers.filter(({ status }) => status === 201);
    assert.equal(winners.length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      assertRefused(answer, 422, 'service_slug_taken');
    const winner = rivals[answers.findIndex(({ status }) => status === 201)];
    assert.ok(winner !== undefined);
    assert.equal((await list('acme-race', winner)).length, 1);
  });

  it('that is repeated after a lost answer changes nothing', async () => {
    const first = await publish(world, maker, 'acme-again');
    const again = ok(await push(maker, 'acme-again', manifestOf(world, 'acme-again')));
    assert.deepEqual(again, { contents: first.contents });
    assert.equal((await list('acme-again')).length, 1);
  });
});

describe('a later push', () => {
  it('makes a revision, and the list has all of them, newest first', async () => {
    const { contents } = await publish(world, maker, 'acme-next');
    const next = ok(await push(maker, 'acme-next', { ...contents, name: 'Acme Next' }));
    assert.equal(next.client_secret, undefined);
    assert.deepEqual(next.contents, { ...contents, name: 'Acme Next', $base: 2 });
    assert.deepEqual(await pull(maker, 'acme-next'), next.contents);
    const revisions = await list('acme-next');
    assert.equal(revisions.length, 2);
    assert.ok(revisions.every(({ created_at }) => !Number.isNaN(Date.parse(created_at))));
    const shown = await Promise.all(
      revisions.map(async ({ id }) =>
        ok(await maker.get<ManifestBody>(`/api/v3/addons/acme-next/manifests/${id}`)),
      ),
    );
    assert.deepEqual(
      shown.map((one) => [one.contents.$base, one.contents.name]),
      [
        [2, 'Acme Next'],
        [1, 'Acme'],
      ],
    );
    const service = ok(await maker.get<{ human_name: string }>('/addon-services/acme-next'));
    assert.equal(service.human_name, 'Acme Next');
  });

  it('of a stale $base is refused with what changed, and nothing is overwritten', async () => {
    const { contents } = await publish(world, maker, 'acme-stale');
    const theirs = {
      ...contents,
      api: { ...contents.api, regions: ['us'], password: 'another-password' },
    };
    const current = ok(await push(maker, 'acme-stale', theirs)).contents;
    const refused = await push(maker, 'acme-stale', { ...contents, name: 'Mine' });
    assertRefused(refused, 409, 'manifest_stale');
    const [what, ...changes] = sentencesOf(refused);
    assert.match(what ?? '', /revision 1, which you pulled; revision 2 is in force/);
    assert.deepEqual(changes.sort(), [
      'api.password was changed.',
      'api.regions was changed from ["us","eu"] to ["us"].',
    ]);
    for (const $base of [undefined, 7, 'x', null, -1, 1.5])
      assertRefused(
        await push(maker, 'acme-stale', { ...current, name: 'Mine', $base }),
        409,
        'manifest_stale',
      );
    assert.deepEqual(await pull(maker, 'acme-stale'), current);
  });

  it('of many at once on one revision is taken once', async () => {
    const { contents } = await publish(world, maker, 'acme-many');
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => push(maker, 'acme-many', { ...contents, name: `Acme ${n}` })),
    );
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(answers.filter(({ status }) => status === 409).length, 4);
    assert.equal((await list('acme-many')).length, 2);
  });

  it('without secrets keeps those that are in force', async () => {
    const { contents } = await publish(world, maker, 'acme-keeps');
    const { password: _password, sso_salt: _salt, ...api } = contents.api;
    const next = ok(await push(maker, 'acme-keeps', { ...contents, name: 'New', api }));
    assert.equal(next.contents.api.password, contents.api.password);
    assert.equal(next.contents.api.sso_salt, contents.api.sso_salt);
  });
});

describe('a manifest', () => {
  it('is nothing that anybody but its makers and the operator can see or push', async () => {
    const { contents } = await publish(world, maker, 'acme-mine');
    const [{ id } = { id: '' }] = await list('acme-mine');
    const stranger = await world.newAccount();
    const base = '/api/v3/addons/acme-mine';
    for (const path of [
      `${base}/current_manifest`,
      `${base}/manifests`,
      `${base}/manifests/${id}`,
      `${base}/invitations`,
    ]) {
      const answer = await stranger.get(path);
      assertRefused(answer, 404, 'not_found');
      assert.equal(sentencesOf(answer).length, 1);
    }
    assertRefused(await stranger.post(`${base}/invitations`, { email: 'x@souk.test' }), 404, 'not_found');
    assertRefused(await stranger.patch(base, { state: 'alpha' }), 404, 'not_found');
    assertRefused(await push(stranger, 'acme-mine', contents), 422, 'service_slug_taken');
    assertRefused(await stranger.get('/api/v3/addons/acme-nothing/current_manifest'), 404, 'not_found');
    assertRefused(await maker.get(`${base}/manifests/${crypto.randomUUID()}`), 404, 'not_found');
    assertRefused(await maker.get(`${base}/manifests/nothing`), 404, 'not_found');
    await publish(world, stranger, 'acme-theirs');
    assertRefused(await stranger.get(`/api/v3/addons/acme-theirs/manifests/${id}`), 404, 'not_found');
  });

  it('shows the operator everything but its secrets, and is pushed by the operator without losing them', async () => {
    const { contents } = await publish(world, maker, 'acme-watched');
    const seen = await pull(world.api, 'acme-watched');
    const { password: _password, sso_salt: _salt, ...api } = contents.api;
    assert.deepEqual(seen, { ...contents, api });
    const pushed = ok(await push(world.api, 'acme-watched', { ...seen, name: 'Corrected' }));
    assert.equal(pushed.contents.api.password, undefined);
    assert.deepEqual(await pull(maker, 'acme-watched'), { ...contents, name: 'Corrected', $base: 2 });
  });

  it('of a bundled service cannot be pushed, not even by the operator', async () => {
    for (const api of [maker, world.api])
      assertRefused(await push(api, 'pg', manifestOf(world, 'pg')), 422, 'service_slug_taken');
    assertRefused(await world.api.get('/api/v3/addons/pg/current_manifest'), 404, 'not_found');
  });

  it('lies nowhere in the database in the clear, moves with the keys, and its reads are audited', async () => {
    const own = {
      password: 'pass-in-the-clear',
      sso_salt: 'salt-in-the-clear',
      client_secret: 'client-in-the-clear',
    };
    ok(await push(maker, 'acme-sealed', manifestOf(world, 'acme-sealed', {}, own)));
    const tables = await world.database.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
    );
    for (const { name } of tables)
      for (const secret of Object.values(own)) {
        const found = await world.database.query(
          `SELECT 1 FROM ${name} t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::bytea, 'hex') || '%'`,
          [secret],
        );
        assert.deepEqual(found, [], `${name} holds ${secret}`);
      }
    const { key_id: keyId } = ok(
      await world.api.post<{ key_id: string }>('/admin/keys/rotate', { new_key: true }),
    );
    let left = 1;
    while (left > 0) left = ok(await world.api.post<{ left: number }>('/admin/keys/rotate', {})).left;
    assert.deepEqual(
      await world.database.query(
        `SELECT DISTINCT contents_key_id AS id FROM manifest_revisions
         UNION SELECT DISTINCT client_secret_key_id FROM providers WHERE client_secret_key_id IS NOT NULL`,
      ),
      [{ id: keyId }],
    );
    assert.equal((await pull(maker, 'acme-sealed')).api.password, own.password);
    const audited = await world.database.query<{ action: string; actor_name: string }>(
      `SELECT action, actor_name FROM audit_events WHERE details->>'service' = 'acme-sealed' ORDER BY id`,
    );
    assert.deepEqual(
      audited.map(({ action, actor_name }) => [action, actor_name]),
      [
        ['manifest.imported', 'maker@souk.test'],
        ['manifest.pushed', 'maker@souk.test'],
        ['manifest.read', 'maker@souk.test'],
      ],
    );
  });
});

describe('errors', () => {
  it('have the form that the client of the partner portal reads, whatever refused', async () => {
    const unauthorized = await push(world.anonymous, 'acme-x', {});
    assertRefused(unauthorized, 401, 'unauthorized');
    assert.equal(sentencesOf(unauthorized).length, 1);
    const noBody = await maker.post('/api/v3/addons/acme-x/manifests', {});
    assertRefused(noBody, 422, 'invalid_params');
    assert.match(sentencesOf(noBody).join(), /contents is missing/);
    const list = await maker.post('/api/v3/addons/acme-x/manifests', { contents: [] });
    assertRefused(list, 422, 'invalid_params');
    const made = ok(
      await maker.post<{ access_token: { token: string } }>('/oauth/authorizations', {
        scope: ['manifests:read'],
      }),
    );
    const reader = new Api(world.config.publicUrl, made.access_token.token);
    const forbidden = await push(reader, 'acme-x', manifestOf(world, 'acme-x'));
    assertRefused(forbidden, 403, 'forbidden');
    assert.match(sentencesOf(forbidden).join(), /manifests:write/);
  });

  it('are the same for a stage that is refused', async () => {
    await publish(world, maker, 'acme-stage');
    const refused = await maker.patch('/api/v3/addons/acme-stage', { state: 'beta' });
    assertRefused(refused, 422, 'stage_move_refused');
    assert.match(sentencesOf(refused).join(), /operator's to do/);
    assertRefused(await moveTo(maker, 'acme-stage', 'beta'), 403, 'forbidden');
  });
});
