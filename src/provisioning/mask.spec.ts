import assert from 'node:assert/strict';
import { expect, it } from 'vitest';
import { maskReply, maskRequest } from './mask.js';

const REQUEST = {
  method: 'POST',
  url: 'http://user:password@127.0.0.1:5000/resources?token=abc',
  body: {
    uuid: '8f14e45f-0000-4000-8000-000000000000',
    name: 'pg-quiet-1',
    plan: 'mini',
    region: 'amazon-web-services::us-east-1',
    options: { name: 'secret-of-the-customer', fork: 'postgres://u:hunter22@db/x', flag: 'true' },
    oauth_grant: { code: 'grant-code-0123', expires_at: '2026-03-01T12:00:00Z', type: 'authorization_code' },
    log_drain_token: 'd.0123-4567',
  },
};

it('shows what a request said, and of what may be a secret its length only', () => {
  assert.deepEqual(maskRequest(REQUEST), {
    method: 'POST',
    url: 'http://127.0.0.1:5000/resources',
    body: {
      uuid: '8f14e45f-0000-4000-8000-000000000000',
      name: 'pg-quiet-1',
      plan: 'mini',
      region: 'amazon-web-services::us-east-1',
      options: {
        name: '[text of 22 characters]',
        fork: '[text of 26 characters]',
        flag: '[text of 4 characters]',
      },
      oauth_grant: {
        code: '[text of 15 characters]',
        expires_at: '[text of 20 characters]',
        type: '[text of 18 characters]',
      },
      log_drain_token: '[text of 11 characters]',
    },
  });
  assert.equal(maskRequest(undefined), null);
});

it('shows no config value of a reply, nor where the provider repeats one or its password in a message', () => {
  const shown = maskReply(
    200,
    {
      id: 'res-1',
      message:
        'Use postgres://u:s3cr3t-of-yours@h/db, password s3cr3t-of-yours; option secret-of-the-customer.',
      config: { PG_URL: 'postgres://u:s3cr3t-of-yours@h/db' },
      access_token: 'abc',
    },
    REQUEST,
  );
  assert.deepEqual(shown, {
    status: 200,
    body: {
      id: 'res-1',
      message: 'Use [masked], password [masked]; option [masked].',
      config: { PG_URL: '[text of 33 characters]' },
      access_token: '[text of 3 characters]',
    },
  });
});

it.each<[string, unknown]>([
  ['a text', 'a secret text'],
  ['a list', ['one-secret', { id: 'two-secret' }]],
  ['a number', 42],
  ['deep', { a: { b: { c: { d: { e: 'secret' } } } } }],
  ['wide', Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 'secret']))],
  ['long', { message: 'x'.repeat(1_000_000) }],
  ['nothing', null],
])('a reply that is %s is bounded and gives nothing away', (_case, body) => {
  const text = JSON.stringify(maskReply(500, body, undefined));
  expect(text.length).toBeLessThan(5_000);
  assert.doesNotMatch(text, /secret|\b42\b/);
});

it('keeps control characters and markup of a message away', () => {
  assert.deepEqual(maskReply(422, { message: '\u001b[31m<b>No</b>' }, undefined), {
    status: 422,
    body: { message: '[31m No' },
  });
});

it('has nothing to show where nothing came back', () => {
  assert.equal(maskReply(null, null, REQUEST), null);
});
