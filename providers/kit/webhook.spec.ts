import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { isWebhookSigned, webhookSignature } from './webhook.js';

const BODY = Buffer.from('{"action":"update"}');
// openssl dgst -sha256 -hmac 'a secret' -binary | base64
const SIGNATURE = 'z7X8cDmqVJdheuS6uWJ7HIxovaSxjEVJ0sEQwcoiuq8=';

describe('isWebhookSigned', () => {
  it('is base64 of the HMAC of the bytes', () => {
    assert.equal(webhookSignature(BODY, 'a secret'), SIGNATURE);
    assert.equal(isWebhookSigned(BODY, SIGNATURE, 'a secret'), true);
  });

  it.each<[string, Buffer, string | undefined, string]>([
    ['another body', Buffer.from('{"action": "update"}'), SIGNATURE, 'a secret'],
    ['another secret', BODY, SIGNATURE, 'a secret '],
    ['hex', BODY, Buffer.from(SIGNATURE, 'base64').toString('hex'), 'a secret'],
    ['a cut signature', BODY, SIGNATURE.slice(0, -1), 'a secret'],
    ['an empty signature', BODY, '', 'a secret'],
    ['none', BODY, undefined, 'a secret'],
  ])('refuses %s', (_name, body, signature, secret) => {
    assert.equal(isWebhookSigned(body, signature, secret), false);
  });
});
