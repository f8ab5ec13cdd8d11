import assert from 'node:assert/strict';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { Api, assertRefused, ok, type Answer } from '../../support/api.js';
import { CLIENT_SECRET, exchange, newestGrant, Partner, type Tokens } from '../../support/partner-client.js';
import type { AddonBody, AppBody } from '../../support/resources.js';
import { until } from '../../support/until.js';
import { World } from '../../support/world.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let world: World;
let app: AppBody;
let addon: AddonBody;
beforeAll(async () => {
  world = await World.start();
  app = await world.newApp();
});
afterAll(() => world.stop());
beforeEach(async () => {
  addon = await world.addAddon(app.name);
});

const code = () => newestGrant(world, addon.id).code;
const fields = (more: object = {}) => ({
  grant_type: 'authorization_code',
  code: code(),
  client_secret: CLIENT_SECRET,
  ...more,
});
const asQuery = (values: object) => new URLSearchParams(values as Record<string, string>).toString();
const reads = async (token: string) =>
  (await new Api(world.config.publicUrl, token).get(`/addons/${addon.id}`)).status;

function assertRefusedAsOAuth(answer: Answer, status: number, error: string): void {
  assertRefused(answer, status, error);
  assert.equal((answer.body as { error?: string }).error, error);
}

describe('a grant', () => {
  it('comes with each provision request, whole and with five minutes to live', () => {
    const grant = newestGrant(world, addon.id);
    assert.equal(grant.type, 'authorization_code');
    const left = new Date(grant.expires_at).getTime() - world.clock.now().getTime();
    assert.ok(left > 4 * MINUTE_MS && left <= 5 * MINUTE_MS, `${left} ms`);
  });

  it('is another one when the request is repeated, and the earlier one still works', async () => {
    world.provider.onProvision({ status: 500 });
    const again = await world.addAddon(app.name);
    await world.runUntilQuiet(1_000);
    const calls = world.provider.calls.filter(({ id }) => id === again.id);
    const codes = calls.map(({ body }) => (body?.oauth_grant as { code: string }).code);
    assert.equal(codes.length, 2);
    assert.notEqual(codes[0], codes[1]);
    for (const one of codes) ok(await exchange(world, one));
  });

  it.each<[string, () => Promise<Answer<Tokens>>]>([
    ['as a form', () => world.anonymous.post('/oauth/token', asQuery(fields()), FORM)],
    [
      'as a form with a charset',
      () =>
        world.anonymous.post('/oauth/token', asQuery(fields()), {
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        }),
    ],
    ['as JSON', () => world.anonymous.post('/oauth/token', fields())],
    ['as a query with no type', () => world.anonymous.post(`/oauth/token?${asQuery(fields())}`)],
    [
      'as a query with a form type',
      () => world.anonymous.post(`/oauth/token?${asQuery(fields())}`, '', FORM),
    ],
    [
      'as a query with a JSON type',
      () =>
        world.anonymous.post(`/oauth/token?${asQuery(fields())}`, '', { 'content-type': 'application/json' }),
    ],
    [
      'with a client_id that nobody needs',
      () => world.anonymous.post('/oauth/token', fields({ client_id: 'x' })),
    ],
  ])('is exchanged %s', async (_case, send) => {
    const answer = await send();
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { access_token, refresh_token, user_id, ...rest } = answer.body;
    assert.deepEqual(rest, { expires_in: 28_800, token_type: 'Bearer', session_nonce: null });
    assert.match(user_id, /^[0-9a-f-]{36}$/);
    assert.notEqual(access_token, refresh_token);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(await reads(access_token), 200);
  });

  it('is exchanged once, also when that is tried by many at the same time, and what it gave stays good', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(world, code())));
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1);
    for (const lost of answers.filter(({ status }) => status !== 200))
      assertRefusedAsOAuth(lost, 400, 'invalid_grant');
    assertRefusedAsOAuth(await exchange(world, code()), 400, 'invalid_grant');
    assert.equal(await reads(won[0]?.body.access_token ?? ''), 200);
  });

  it('is refused with a wrong secret, and not used up by that', async () => {
    for (const secret of ['wrong', `${CLIENT_SECRET} `, 'other-client-secret'])
      assertRefusedAsOAuth(await exchange(world, code(), secret), 401, 'invalid_client');
    ok(await exchange(world, code()));
  });

  it('is refused after five minutes', async () => {
    world.clock.advance(5 * MINUTE_MS + 1_000);
    assertRefusedAsOAuth(await exchange(world, code()), 400, 'invalid_grant');
  });

  it('is refused once the add-on is gone', async () => {
    const given = code();
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    assertRefusedAsOAuth(await exchange(world, given), 400, 'invalid_grant');
  });

  it.each<[string, () => object, number, string]>([
    ['without a grant type', () => ({ code: 'x', client_secret: 'y' }), 400, 'invalid_request'],
    ['with another grant type', () => fields({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
    ['without a secret', () => fields({ client_secret: '' }), 400, 'invalid_request'],
    ['with a code that nobody gave', () => fields({ code: 'nobody-gave-it' }), 400, 'invalid_grant'],
    [
      'with a code for a refresh token',
      () => ({ grant_type: 'refresh_token', refresh_token: code(), client_secret: CLIENT_SECRET }),
      400,
      'invalid_grant',
    ],
  ])('a request %s is refused', async (_case, body, status, error) => {
    assertRefusedAsOAuth(await world.anonymous.post('/oauth/token', body()), status, error);
  });

  it('a request that cannot be read is refused with an OAuth error too', async () => {
    const answer = await world.anonymous.post('/oauth/token', '{', { 'content-type': 'application/json' });
    assert.equal(answer.status, 400);
    assert.equal((answer.body as { error: string }).error, 'invalid_request');
  });

  it('a form is refused everywhere else', async () => {
    assertRefused(await world.api.post('/apps', 'name=form-app', FORM), 415, 'unsupported_media_type');
  });
});

describe('an access token', () => {
  it('works for eight hours, and a refresh token gives another one, as often as it is asked', async () => {
    const first = await Partner.of(world, addon.id);
    const refresh = async (): Promise<Tokens> =>
      ok(
        await world.anonymous.post<Tokens>('/oauth/token', {
          grant_type: 'refresh_token',
          refresh_token: first.tokens.refresh_token,
          client_secret: CLIENT_SECRET,
        }),
      );
    world.clock.advance(8 * HOUR_MS + 1_000);
    assertRefused(await first.api.get(`/addons/${addon.id}`), 401, 'unauthorized');
    for (let time = 0; time < 2; time += 1) {
      const next = await refresh();
      assert.equal(next.refresh_token, first.tokens.refresh_token);
      assert.equal(await reads(next.access_token), 200);
      world.clock.advance(9 * HOUR_MS);
    }
  });

  it('ends with the add-on, and so does the refresh token; the end is audited', async () => {
    const partner = await Partner.of(world, addon.id);
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    assertRefused(await partner.api.get(`/addons/${addon.id}`), 410, 'gone');
    assertRefused(await partner.setConfig([{ name: 'PG_URL', value: 'x' }]), 410, 'gone');
    assertRefusedAsOAuth(
      await world.anonymous.post('/oauth/token', {
        grant_type: 'refresh_token',
        refresh_token: partner.tokens.refresh_token,
        client_secret: CLIENT_SECRET,
      }),
      400,
      'invalid_grant',
    );
    const events = await world.database.query<{ action: string; details: { tokens?: number } }>(
      "SELECT action, details FROM audit_events WHERE subject_id = $1 AND action LIKE 'addon.access_%' ORDER BY id",
      [addon.id],
    );
    assert.deepEqual(
      events.map(({ action }) => action),
      ['addon.access_granted', 'addon.access_revoked'],
    );
    assert.equal(events[1]?.details.tokens, 2);
  });

  it.each<[string, (tokens: Tokens) => object]>([
    ['a refresh', ({ refresh_token }) => ({ grant_type: 'refresh_token', refresh_token })],
    ['an exchange', () => ({ grant_type: 'authorization_code', code: code() })],
  ])('%s during the end of the add-on waits for it, and gives nothing', async (_what, request) => {
    const { tokens } = await Partner.of(world, addon.id);
    const body = { ...request(tokens), client_secret: CLIENT_SECRET };
    const end = new Client({ connectionString: world.database.url });
    await end.connect();
    try {
      // What the end of an add-on does, in its order, stopped half-way.
      await end.query('BEGIN');
      await end.query('SELECT FROM addons WHERE id = $1 FOR UPDATE', [addon.id]);
      const asking = world.anonymous.post('/oauth/token', body);
      await until(async () =>
        assert.equal(
          (
            await world.database.query(
              "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
          ).length,
          1,
        ),
      );
      await end.query('DELETE FROM addon_grants WHERE addon_id = $1', [addon.id]);
      await end.query('UPDATE addon_tokens SET revoked_at = now() WHERE addon_id = $1', [addon.id]);
      await end.query('COMMIT');
      assertRefusedAsOAuth(await asking, 400, 'invalid_grant');
    } finally {
      await end.end();
    }
    assert.deepEqual(
      await world.database.query('SELECT FROM addon_tokens WHERE addon_id = $1 AND revoked_at IS NULL', [
        addon.id,
      ]),
      [],
    );
  });

  it('is nowhere in the database in the clear, nor is a code', async () => {
    const given = code();
    const { tokens } = await Partner.of(world, addon.id);
    for (const table of [
      'addon_grants',
      'addon_tokens',
      'operations',
      'operation_attempts',
      'audit_events',
      'outbox',
      'providers',
    ]) {
      const rows = await world.database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t`);
      const text = rows.map(({ row }) => row).join('\n');
      const asBytes = (secret: string) => Buffer.from(secret).toString('hex');
      for (const secret of [given, tokens.access_token, tokens.refresh_token, CLIENT_SECRET])
        assert.ok(!text.includes(secret) && !text.includes(asBytes(secret)), table);
    }
  });

  it('leaves no row behind that has expired, beyond what one exchange makes', async () => {
    const count = async () =>
      (
        await world.database.query(
          'SELECT 1 FROM addon_tokens WHERE addon_id = $1 UNION ALL SELECT 1 FROM addon_grants WHERE addon_id = $1',
          [addon.id],
        )
      ).length;
    const { tokens } = await Partner.of(world, addon.id);
    const before = await count();
    for (let time = 0; time < 4; time += 1) {
      world.clock.advance(9 * HOUR_MS);
      ok(
        await world.anonymous.post('/oauth/token', {
          grant_type: 'refresh_token',
          refresh_token: tokens.refresh_token,
          client_secret: CLIENT_SECRET,
        }),
      );
    }
    assert.equal(await count(), before);
  });
});

it("a provider's client secret moves to the newest key with all else", async () => {
  const answer = ok(await world.api.post<{ left: number }>('/admin/keys/rotate', { new_key: true }));
  assert.equal(answer.left, 0);
  ok(await exchange(world, code()));
});
