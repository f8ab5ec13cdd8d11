import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { Api, assertRefused, ok } from '../support/api.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';
import { EnsureOperator } from '../../src/accounts/commands/ensure-operator.js';
import { Secret } from '../../src/kernel/secret.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ role: 'api' });
});
afterAll(() => world.stop());

const start = (email: string, token: string, from: 'settings' | 'folder' = 'settings') =>
  world.broker.app.get(EnsureOperator).run({ email, token: new Secret(token), from });
const who = (token: string) =>
  new Api(world.config.publicUrl, token).get<{ email: string; id: string }>('/account');
/** A start is another process's work: this one is told of it. */
const refused = (token: string) => until(async () => assertRefused(await who(token), 401, 'unauthorized'));
const emailOf = async (token: string) => ok(await who(token)).email;
const audited = (action: string) =>
  world.database.query<{ actor_kind: string; details: Record<string, unknown> }>(
    'SELECT actor_kind, details FROM audit_events WHERE action = $1 ORDER BY id DESC LIMIT 1',
    [action],
  );

it('another token takes the place of the one before, everywhere and on record; what people made stays', async () => {
  await start('one@souk.test', 'first-token-of-the-settings');
  const first = new Api(world.config.publicUrl, 'first-token-of-the-settings');
  const own = ok(await first.post<{ access_token: { token: string } }>('/oauth/authorizations', {}));
  assert.equal(await emailOf('first-token-of-the-settings'), 'one@souk.test');
  await start('one@souk.test', 'second-token-of-the-settings');
  await refused('first-token-of-the-settings');
  assert.equal(await emailOf('second-token-of-the-settings'), 'one@souk.test');
  assert.equal(await emailOf(own.access_token.token), 'one@souk.test');
  const [row] = await audited('token.revoked');
  assert.equal(row?.actor_kind, 'system');
  assert.equal(typeof row?.details.replaced_by, 'string');
});

it('a start with old settings neither brings a token back nor takes the new one away', async () => {
  await start('one@souk.test', 'third-token-of-the-settings');
  await start('one@souk.test', 'second-token-of-the-settings');
  await refused('second-token-of-the-settings');
  assert.equal(await emailOf('third-token-of-the-settings'), 'one@souk.test');
});

it('another address with the same token: the token is that account, and the change is on record', async () => {
  await start('one@souk.test', 'moving-token-of-the-settings');
  assert.equal(await emailOf('moving-token-of-the-settings'), 'one@souk.test');
  await start('two@souk.test', 'moving-token-of-the-settings');
  await until(async () => assert.equal(await emailOf('moving-token-of-the-settings'), 'two@souk.test'));
  ok(await new Api(world.config.publicUrl, 'moving-token-of-the-settings').get('/admin/findings'));
  const [row] = await audited('token.moved');
  assert.deepEqual(row?.details, { from: 'one@souk.test', to: 'two@souk.test' });
});

it("an account's own token makes nobody an operator", async () => {
  await start('one@souk.test', 'admin-token-of-the-settings');
  const admin = new Api(world.config.publicUrl, 'admin-token-of-the-settings');
  const { token } = ok(await admin.post<{ token: string }>('/admin/accounts', { email: 'dev@souk.test' }));
  await start('one@souk.test', token);
  assert.equal(await emailOf(token), 'dev@souk.test');
  assertRefused(await new Api(world.config.publicUrl, token).get('/admin/findings'), 403, 'forbidden');
  ok(await admin.get('/admin/findings'));
});

it("an operator's own token does not take the place of the one that may do everything", async () => {
  await start('one@souk.test', 'whole-token-of-the-settings');
  const whole = new Api(world.config.publicUrl, 'whole-token-of-the-settings');
  const { access_token } = ok(
    await whole.post<{ access_token: { token: string } }>('/oauth/authorizations', { scope: ['apps:read'] }),
  );
  await start('one@souk.test', access_token.token);
  ok(await whole.get('/admin/findings'));
  assertRefused(
    await new Api(world.config.publicUrl, access_token.token).get('/admin/findings'),
    403,
    'forbidden',
  );
});

it('a token that moved from the folder into the settings is replaced there', async () => {
  await start('one@souk.test', 'wandering-token', 'folder');
  await start('one@souk.test', 'wandering-token');
  await start('one@souk.test', 'its-successor-in-the-settings');
  await refused('wandering-token');
});

it("the folder's token and the settings' are each replaced by their own kind, and have names of their own", async () => {
  await start('one@souk.test', 'newest-token-of-the-settings');
  await start('one@souk.test', 'token-of-the-folder', 'folder');
  const listed = ok(
    await new Api(world.config.publicUrl, 'token-of-the-folder').get<{ description: string }[]>(
      '/oauth/authorizations',
    ),
  ).map(({ description }) => description);
  assert.equal(await emailOf('newest-token-of-the-settings'), 'one@souk.test');
  for (const from of ['settings', 'folder'])
    assert.equal(
      listed.filter((one) => one === `operator, from the server's ${from}`).length,
      1,
      listed.join(' | '),
    );
});

it('starting again changes nothing', async () => {
  const rows = () =>
    world.database.query('SELECT (SELECT count(*) FROM audit_events), t.* FROM access_tokens t ORDER BY id');
  await start('one@souk.test', 'newest-token-of-the-settings');
  const before = await rows();
  await Promise.all(Array.from({ length: 5 }, () => start('ONE@souk.test', 'newest-token-of-the-settings')));
  assert.deepEqual(await rows(), before);
});

it('a token that an earlier Souk made from its settings is known as such, and one of an account is not', async () => {
  const fill = readFileSync(
    new URL('../../migrations/1764000000008-token-origins-fill.sql', import.meta.url),
    'utf8',
  );
  await start('early@souk.test', 'early-token-of-the-settings');
  const early = new Api(world.config.publicUrl, 'early-token-of-the-settings');
  ok(await early.post('/oauth/authorizations', { description: 'SOUK_ADMIN_TOKEN' }));
  await world.database.query(
    "UPDATE access_tokens SET origin = 'request', description = 'SOUK_ADMIN_TOKEN' WHERE origin = 'settings'",
  );
  await world.database.query(fill);
  const listed = ok(await early.get<{ description: string }[]>('/oauth/authorizations'));
  assert.deepEqual(listed.map(({ description }) => description).sort(), [
    'SOUK_ADMIN_TOKEN',
    "operator, from the server's settings",
  ]);
  await start('early@souk.test', 'later-token-of-the-settings');
  await refused('early-token-of-the-settings');
});
