import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { parseForm, parseTokenRequest } from './token-request.js';

describe('a request for tokens', () => {
  const code = { grantType: 'authorization_code', code: 'c', clientSecret: 's' };
  it.each([
    ['a form', parseForm('grant_type=authorization_code&code=c&client_secret=s'), {}],
    ['JSON', { grant_type: 'authorization_code', code: 'c', client_secret: 's' }, {}],
    ['a query', undefined, { grant_type: 'authorization_code', code: 'c', client_secret: 's' }],
    [
      'both, where the body counts',
      { grant_type: 'authorization_code', code: 'c' },
      { code: 'other', client_secret: 's' },
    ],
  ])('is read from %s', (_case, body, query) => {
    assert.deepEqual(parseTokenRequest(body, query), code);
  });

  it('is read with a refresh token', () => {
    assert.deepEqual(
      parseTokenRequest(parseForm('grant_type=refresh_token&refresh_token=r%2B1&client_secret=s'), {}),
      { grantType: 'refresh_token', refreshToken: 'r+1', clientSecret: 's' },
    );
  });

  it.each([
    ['nothing', undefined, 'invalid_request'],
    ['no code', { grant_type: 'authorization_code', client_secret: 's' }, 'invalid_request'],
    ['no secret', { grant_type: 'refresh_token', refresh_token: 'r' }, 'invalid_request'],
    [
      'a secret of another type',
      { grant_type: 'refresh_token', refresh_token: 'r', client_secret: 7 },
      'invalid_request',
    ],
    ['a field twice', parseForm('grant_type=refresh_token&grant_type=refresh_token'), 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('with %s is refused', (_case, body, id) => {
    assert.throws(() => parseTokenRequest(body, {}), { id });
  });
});
