import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { type Database, webhookSignature } from '../../kit/index.js';
import { type Answer, basic, type ProviderProcess, until } from '../../postgres/spec-support.js';
import { CLIENT_SECRET, ScriptedPlatform } from '../spec-platform.js';
import { SampleBench, SSO_SALT } from '../spec-support.js';

/** Each point that a promised creation passes, in order. */
const POINTS = [
  'provision.before-intent',
  'provision.after-intent',
  'tokens.before-commit',
  'tokens.after-commit',
  'slow.half-made',
  'async.before-ready',
  'async.after-ready',
  'async.after-config',
  'async.before-done',
  'async.after-done',
];
const FAILURE_POINTS = ['slow.half-made', 'async.before-undone', 'async.after-undone', 'async.before-done'];

describe('a provider that makes resources after it answered', () => {
  const bench = new SampleBench();
  let platform: ScriptedPlatform;
  let env: Record<string, string>;
  let database: Database;

  beforeAll(async () => {
    const url = await bench.databaseUrl();
    database = bench.open(url);
    env = {
      SOUK_HOME: await bench.home(),
      SOUK_PROVIDER_DATABASE_URL: url,
      SOUK_PROVIDER_CLIENT_SECRET: CLIENT_SECRET,
      SOUK_PROVIDER_WEBHOOK_SECRET: 'the webhook secret',
      SLOW_MS: '50',
    };
  });
  beforeEach(async () => {
    platform = await ScriptedPlatform.start();
  });
  afterEach(() => platform.stop());
  afterAll(() => bench.clear());

  const provision = (provider: ProviderProcess, uuid: string, options = {}): Promise<Answer> =>
    provider.call('POST', '/heroku/resources', {
      uuid,
      plan: 'test',
      callback_url: `${platform.url}/addons/${uuid}`,
      oauth_grant: platform.addon(uuid),
      log_drain_token: `d.${uuid}`,
      options,
    });
  const state = (uuid: string, wanted: string) =>
    until(`${uuid} is ${wanted}`, () => Promise.resolve(platform.states.get(uuid) === wanted), 10_000);
  const rows = async (uuid: string) => {
    const [row] = await database.query<{ things: number; pending: number; links: number }>(
      `SELECT (SELECT count(*)::int FROM public.things WHERE uuid = $1) AS things,
              (SELECT count(*)::int FROM kit.pending_work WHERE uuid = $1) AS pending,
              (SELECT count(*)::int FROM kit.platform_links WHERE uuid = $1) AS links`,
      [uuid],
    );
    return row ?? assert.fail();
  };
  const settled = (uuid: string) =>
    until('the work is done', async () => (await rows(uuid)).pending === 0, 10_000);

  it('answers 202, works on, sends config, and says that it is done', async () => {
    const provider = await bench.start('slow', { ...env, SLOW_MS: '300' });
    const uuid = randomUUID();
    const [first, again] = await Promise.all([provision(provider, uuid), provision(provider, uuid)]);
    for (const answer of [first, again]) {
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      assert.equal(answer.body.id, uuid);
      assert.equal(answer.body.config, undefined);
    }
    await state(uuid, 'provisioned');
    await settled(uuid);
    const done = await provision(provider, uuid);
    assert.equal(done.status, 200);
    assert.deepEqual(platform.config.get(uuid), done.body.config);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    assert.deepEqual(await rows(uuid), { things: 0, pending: 0, links: 0 });
    await provider.stop();
  });

  it.each(POINTS)('ends right when it is killed at %s', async (point) => {
    const uuid = randomUUID();
    const dying = await bench.start('slow', { ...env, SOUK_CRASH_AT: point });
    await provision(dying, uuid).catch(() => undefined);
    assert.equal(await dying.ended, 'SIGKILL');
    const provider = await bench.start('slow', env);
    // A platform that got no answer, or no report, asks again, with a fresh grant.
    const repeated = await provision(provider, uuid);
    assert.ok([200, 202].includes(repeated.status), JSON.stringify(repeated.body));
    await state(uuid, 'provisioned');
    await settled(uuid);
    assert.deepEqual(await rows(uuid), { things: 1, pending: 0, links: 1 });
    assert.ok(platform.config.get(uuid)?.SLOW_URL);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    assert.deepEqual(await rows(uuid), { things: 0, pending: 0, links: 0 });
    await provider.stop();
  });

  it('goes on by itself after it was killed: nobody has to ask again', async () => {
    const uuid = randomUUID();
    const dying = await bench.start('slow', { ...env, SOUK_CRASH_AT: 'async.before-ready' });
    await provision(dying, uuid).catch(() => undefined);
    await dying.ended;
    const provider = await bench.start('slow', env);
    await state(uuid, 'provisioned');
    await provider.deprovision(uuid);
    await provider.stop();
  });

  it('reports a failure, and leaves nothing', async () => {
    const provider = await bench.start('slow', env);
    const uuid = randomUUID();
    assert.equal((await provision(provider, uuid, { fail: 'true' })).status, 202);
    await state(uuid, 'deprovisioned');
    await settled(uuid);
    assert.deepEqual(await rows(uuid), { things: 0, pending: 0, links: 0 });
    assert.equal((await provision(provider, uuid)).status, 410);
    assert.equal((await provider.deprovision(uuid)).status, 410);
    await provider.stop();
  });

  it.each(FAILURE_POINTS)('reports a failure when it is killed at %s', async (point) => {
    const uuid = randomUUID();
    const dying = await bench.start('slow', { ...env, SOUK_CRASH_AT: point });
    await provision(dying, uuid, { fail: 'true' }).catch(() => undefined);
    assert.equal(await dying.ended, 'SIGKILL');
    const provider = await bench.start('slow', env);
    await state(uuid, 'deprovisioned');
    await settled(uuid);
    assert.deepEqual(await rows(uuid), { things: 0, pending: 0, links: 0 });
    await provider.stop();
  });

  it('reports again what the platform did not take, also where it did and the answer was lost', async () => {
    const provider = await bench.start('slow', env);
    const uuid = randomUUID();
    platform.fail('PATCH', '/config', 503);
    platform.fail('POST', '/actions/provision', 0, { afterwards: true });
    await provision(provider, uuid);
    await settled(uuid);
    assert.equal(platform.heard('POST', '/actions/provision').length, 2);
    await provider.deprovision(uuid);
    await provider.stop();
  });

  it('gives up what never ends, at its deadline', async () => {
    const provider = await bench.start('slow', { ...env, SOUK_PROVIDER_ASYNC_DEADLINE_MS: '1' });
    const uuid = randomUUID();
    platform.fail('POST', '/oauth/token', 400);
    await provision(provider, uuid);
    await settled(uuid);
    await provider.stop();
  });

  it('lets a delete that comes meanwhile win', async () => {
    const provider = await bench.start('slow', { ...env, SLOW_MS: '200' });
    const uuid = randomUUID();
    await provision(provider, uuid);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    await settled(uuid);
    assert.deepEqual(await rows(uuid), { things: 0, pending: 0, links: 0 });
    assert.equal((await provision(provider, uuid)).status, 410);
    await provider.stop();
  });

  it('takes the app’s log once, each frame with the right secret, count and type', async () => {
    const provider = await bench.start('slow', env);
    const uuid = randomUUID();
    // Without a grant there is nobody to report to: the answer waits for the resource.
    const made = await provider.call('POST', '/heroku/resources', { uuid, plan: 'test', oauth_grant: null });
    assert.equal(made.status, 200);
    const url = new URL((made.body as { log_drain_url?: string }).log_drain_url ?? '');
    const line = '<190>1 2026-01-31T12:00:00+00:00 host app web.1 - grün\n';
    const frame = `${Buffer.byteLength(line)} ${line}`;
    const send = async (change: Record<string, string> = {}, body = frame + frame): Promise<number> => {
      const response = await fetch(`${url.origin}${url.pathname}`, {
        method: 'POST',
        headers: {
          authorization: basic(url.username, url.password),
          'content-type': 'application/logplex-1',
          'logplex-msg-count': '2',
          'logplex-frame-id': 'f1',
          'logplex-drain-token': `d.${uuid}`,
          ...change,
        },
        body,
      });
      return response.status;
    };
    assert.deepEqual(await Promise.all([send(), send(), send()]), [204, 204, 204]);
    assert.equal(await send({ 'logplex-frame-id': 'f2', 'logplex-msg-count': '3' }), 400);
    assert.equal(await send({ 'logplex-frame-id': 'f2' }, frame + frame.slice(0, -1)), 400);
    assert.equal(await send({ 'logplex-frame-id': 'f3', 'content-type': 'text/plain' }), 415);
    assert.equal(await send({ 'logplex-frame-id': 'f4' }, 'x'.repeat(1_100_000)), 413);
    assert.equal(await send({ authorization: basic('drain', 'wrong') }), 401);
    const { lines } = (await (await fetch(made.body.config?.SLOW_URL ?? '')).json()) as { lines: number };
    assert.equal(lines, 2);
    await provider.deprovision(uuid);
    assert.equal(await send({ 'logplex-frame-id': 'f5' }), 401);
    await provider.stop();
  });

  it('takes webhooks that are signed', async () => {
    const provider = await bench.start('slow', env);
    const body = JSON.stringify({ id: randomUUID(), action: 'update' });
    const send = async (signature: Record<string, string>): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${provider.port}/webhooks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signature },
        body,
      });
      return response.status;
    };
    const right = webhookSignature(Buffer.from(body), 'the webhook secret');
    assert.equal(await send({ 'heroku-webhook-hmac-sha256': right }), 204);
    assert.equal(await send({ 'heroku-webhook-hmac-sha256': createHash('sha256').digest('base64') }), 401);
    assert.equal(await send({}), 401);
    const [heard] = await database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM public.events',
    );
    assert.equal(heard?.count, 1);
    // It has no dashboard, so it does not let anybody in, either.
    const sso = await fetch(`http://127.0.0.1:${provider.port}/sso`, { method: 'POST', body: SSO_SALT });
    assert.equal(sso.status, 401);
    await provider.stop();
  });
});
