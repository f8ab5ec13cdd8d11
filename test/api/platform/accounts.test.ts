import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, ok } from '../../support/api.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

interface Authorization {
  id: string;
  scope: string[];
  access_token: { token: string; expires_in: number | null };
}

const withToken = (token: string) => new Api(world.config.publicUrl, token);

async function newToken(api: Api, body: object = {}): Promise<Authorization> {
  return ok(await api.post<Authorization>('/oauth/authorizations', body));
}

describe('credentials', () => {
  it('are a bearer token, or Basic with the token as password as the CLI sends it', async () => {
    const { token } = world.api;
    for (const pair of [`:${token}`, `operator@souk.test:${token}`, `anything:${token}`]) {
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      assert.equal(
        ok(await world.anonymous.get<{ email: string }>('/account', { authorization })).email,
        'operator@souk.test',
      );
    }
    assert.equal(ok(await world.api.get<{ email: string }>('/users/~')).email, 'operator@souk.test');
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'Basic',
    'Basic %%%',
    `Basic ${Buffer.from(':wrong').toString('base64')}`,
    'Digest x',
    'Bearer a b',
  ])('that are none are refused: "%s"', async (authorization) => {
    assertRefused(await world.anonymous.get('/account', { authorization }), 401, 'unauthorized');
  });

  it('are stored hashed only', async () => {
    const made = await newToken(world.api);
    const rows = await world.database.query('SELECT 1 FROM access_tokens t WHERE t::text LIKE $1', [
      `%${made.access_token.token}%`,
    ]);
    assert.deepEqual(rows, []);
    const encoded = Buffer.from(made.access_token.token).toString('hex');
    assert.deepEqual(
      await world.database.query("SELECT 1 FROM access_tokens t WHERE t::text LIKE '%' || $1 || '%'", [
        encoded,
      ]),
      [],
    );
  });
});

describe('tokens', () => {
  it('are shown once, listed without their text, and revoked', async () => {
    const api = await world.newAccount();
    const made = await newToken(api, { description: 'for CI' });
    ok(await withToken(made.access_token.token).get('/account'));
    const listed = ok(await api.get<Authorization[]>('/oauth/authorizations'));
    assert.equal(listed.length, 2);
    assert.ok(!JSON.stringify(listed).includes(made.access_token.token));
    assert.equal((await api.delete(`/oauth/authorizations/${made.id}`)).status, 204);
    assertRefused(await withToken(made.access_token.token).get('/account'), 401, 'unauthorized');
    assertRefused(await api.delete(`/oauth/authorizations/${made.id}`), 404, 'not_found');
  });

  it('expire', async () => {
    const made = await newToken(world.api, { expires_in: 3_600 });
    ok(await withToken(made.access_token.token).get('/account'));
    world.clock.advance(3_601_000);
    assertRefused(await withToken(made.access_token.token).get('/account'), 401, 'unauthorized');
  });

  it('do what their scopes say, and no more', async () => {
    const app = await world.newApp();
    const reader = withToken((await newToken(world.api, { scope: ['apps:read'] })).access_token.token);
    ok(await reader.get(`/apps/${app.name}`));
    assertRefused(await reader.get(`/apps/${app.name}/config-vars`), 403, 'forbidden');
    assertRefused(await reader.delete(`/apps/${app.name}`), 403, 'forbidden');
    assertRefused(await reader.post(`/apps/${app.name}/addons`, { plan: 'pg:mini' }), 403, 'forbidden');
    assertRefused(await reader.get('/admin/findings'), 403, 'forbidden');
    const global = withToken((await newToken(world.api, { scope: ['global'] })).access_token.token);
    ok(await global.get(`/apps/${app.name}/config-vars`));
    assertRefused(await global.get('/admin/findings'), 403, 'forbidden');
  });

  it('cannot make tokens that may do more', async () => {
    const scoped = withToken(
      (await newToken(world.api, { scope: ['account:write', 'apps:read'] })).access_token.token,
    );
    assertRefused(await scoped.post('/oauth/authorizations', { scope: ['global'] }), 403, 'forbidden');
    assertRefused(await scoped.post('/oauth/authorizations', { scope: ['admin'] }), 403, 'forbidden');
    assert.deepEqual((await newToken(scoped, { scope: ['apps:read'] })).scope, ['apps:read']);
    const user = await world.newAccount();
    assertRefused(await user.post('/oauth/authorizations', { scope: ['admin'] }), 403, 'forbidden');
  });

  it('get the scopes of the token that asks where none are named', async () => {
    const scoped = withToken(
      (await newToken(world.api, { scope: ['account:write', 'apps:read'] })).access_token.token,
    );
    assert.deepEqual((await newToken(scoped)).scope.sort(), ['account:write', 'apps:read']);
    assert.deepEqual((await newToken(scoped, { scope: ['apps:read', 'apps:read'] })).scope, ['apps:read']);
    assert.deepEqual((await newToken(await world.newAccount())).scope, ['global']);
  });

  it('never outlive the token that made them', async () => {
    const hour = withToken((await newToken(world.api, { expires_in: 3_600 })).access_token.token);
    for (const body of [{}, { expires_in: 86_400 }, { expires_in: null }]) {
      const made = await newToken(hour, body);
      const seconds = made.access_token.expires_in ?? Infinity;
      assert.ok(seconds <= 3_600 && seconds > 3_500, `${seconds}`);
    }
    assert.equal((await newToken(hour, { expires_in: 60 })).access_token.expires_in, 60);
    assert.equal((await newToken(world.api)).access_token.expires_in, null);
    const child = withToken((await newToken(hour)).access_token.token);
    const grandchild = withToken((await newToken(child)).access_token.token);
    world.clock.advance(3_601_000);
    assertRefused(await grandchild.get('/account'), 401, 'unauthorized');
  });

  it('are refused with unknown scopes and silly life times', async () => {
    assertRefused(
      await world.api.post('/oauth/authorizations', { scope: ['everything'] }),
      422,
      'scope_unknown',
    );
    assertRefused(await world.api.post('/oauth/authorizations', { scope: [] }), 422, 'invalid_params');
    for (const expires_in of [0, -1, 1.5, 'soon', 1e12])
      assertRefused(await world.api.post('/oauth/authorizations', { expires_in }), 422, 'invalid_params');
  });

  it('of others are neither listed nor revoked', async () => {
    const made = await newToken(world.api);
    const stranger = await world.newAccount();
    assertRefused(await stranger.delete(`/oauth/authorizations/${made.id}`), 404, 'not_found');
    assert.equal(
      ok(await stranger.get<Authorization[]>('/oauth/authorizations')).some(({ id }) => id === made.id),
      false,
    );
    ok(await withToken(made.access_token.token).get('/account'));
  });
});

describe('accounts', () => {
  it('are made by operators, once for an e-mail address', async () => {
    const made = ok(
      await world.api.post<{ token: string; email: string }>('/admin/accounts', { email: 'Dev@souk.test' }),
    );
    assert.equal(ok(await withToken(made.token).get<{ email: string }>('/account')).email, 'Dev@souk.test');
    assertRefused(await world.api.post('/admin/accounts', { email: 'dev@SOUK.test' }), 422, 'email_taken');
    assertRefused(await world.api.post('/admin/accounts', { email: 'nobody' }), 422, 'invalid_params');
    assertRefused(
      await withToken(made.token).post('/admin/accounts', { email: 'more@souk.test' }),
      403,
      'forbidden',
    );
  });
});
