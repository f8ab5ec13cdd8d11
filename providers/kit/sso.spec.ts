import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ssoToken, userScopedSsoToken, verifySso } from './sso.js';

const SALT = '2f97bfa52ca102f8874716e2eb1d3b4920ad0be4';
const STAMP = '1267597772';
const NOW = new Date(Number(STAMP) * 1000);
const UUID = '01234567-89ab-4cde-8f01-23456789abcd';
const USER = { id: 'b6dc2bd9-09d4-4b3e-9a5c-000000000001', email: 'ada@example.com' };

const signed = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  resource_id: UUID,
  resource_token: ssoToken(UUID, SALT, STAMP),
  user_scoped_resource_token: userScopedSsoToken(UUID, SALT, STAMP, USER),
  id: '123',
  token: 'bb466eb1d6bc345d11072c3cd25c311f21be130d',
  timestamp: STAMP,
  user_id: USER.id,
  email: USER.email,
  app: 'shop',
  context_app: 'shop-staging',
  'nav-data': 'e30',
  ...changes,
});
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(signed()).filter(([name]) => !names.includes(name)));

describe('ssoToken', () => {
  it('gives the published example', () => {
    assert.equal(ssoToken('123', SALT, STAMP), 'bb466eb1d6bc345d11072c3cd25c311f21be130d');
  });
});

describe('verifySso', () => {
  it('knows a visitor by all three tokens', () => {
    assert.deepEqual(verifySso(signed(), SALT, NOW), {
      uuid: UUID,
      id: '123',
      user: USER,
      app: 'shop',
      contextApp: 'shop-staging',
    });
  });

  it.each<[string, string[]]>([
    ['the first token alone', ['resource_token', 'user_scoped_resource_token']],
    ['the second token alone', ['token', 'user_scoped_resource_token']],
    ['the third token alone', ['token', 'resource_token']],
  ])('takes %s', (_name, left) => {
    assert.ok(verifySso(without(...left), SALT, NOW));
  });

  it('does not believe a user or a uuid that no token covers', () => {
    const stripped = { ...without('user_scoped_resource_token'), email: 'eve@example.com' };
    assert.equal(verifySso(stripped, SALT, NOW)?.user, null);
    const old = { ...without('user_scoped_resource_token', 'resource_token'), resource_id: UUID };
    assert.equal(verifySso(old, SALT, NOW)?.uuid, null);
  });

  it.each<[string, Record<string, unknown>]>([
    ['no token at all', without('token', 'resource_token', 'user_scoped_resource_token')],
    ['a wrong token', signed({ token: 'bb466eb1d6bc345d11072c3cd25c311f21be130e' })],
    ['a wrong resource token', signed({ resource_token: ssoToken(UUID, 'other', STAMP) })],
    ['a wrong user-scoped token', signed({ user_scoped_resource_token: 'x' })],
    ['another user', signed({ user_id: 'b6dc2bd9-09d4-4b3e-9a5c-000000000002' })],
    ['another address', signed({ email: 'eve@example.com' })],
    ['another resource', signed({ resource_id: UUID.replace('0', '1') })],
    ['an id with a colon', signed({ id: '123:x', token: ssoToken('123:x', SALT, STAMP) })],
    ['a list for a token', signed({ token: ['bb466eb1d6bc345d11072c3cd25c311f21be130d'] })],
    ['an empty token', signed({ token: '' })],
    ['another time', signed({ timestamp: '1267597773' })],
    ['no time', without('timestamp')],
    ['a time that is none', signed({ timestamp: '1e9' })],
  ])('refuses %s', (_name, fields) => {
    assert.equal(verifySso(fields, SALT, NOW), null);
  });

  it.each([
    [300, true],
    [301, false],
    [-300, true],
    [-301, false],
  ])('%i seconds after it was signed: %s', (seconds, accepted) => {
    const visitor = verifySso(signed(), SALT, new Date(NOW.getTime() + seconds * 1000));
    assert.equal(visitor !== null, accepted);
  });
});
