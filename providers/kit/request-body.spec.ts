import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ProviderError } from './errors.js';
import { parsePage, parsePlan, parseProvision, parseUuid } from './request-body.js';

const UUID = '01234567-89ab-4cde-8f01-23456789abcd';
const NO_FACTS = { callbackUrl: null, grant: null, logInputUrl: null, logDrainToken: null };

describe('parseProvision', () => {
  it('reads what a platform sends, and leaves what it does not know', () => {
    const body = {
      uuid: UUID.toUpperCase(),
      plan: 'basic',
      name: 'acme-db',
      region: 'amazon-web-services::us-east-1',
      options: { flag: 'true', count: 3 },
      oauth_grant: null,
      some_day: [1, 2],
    };
    assert.deepEqual(parseProvision(body), {
      uuid: UUID,
      plan: 'basic',
      name: 'acme-db',
      region: 'amazon-web-services::us-east-1',
      options: { flag: 'true', count: '3' },
      platform: NO_FACTS,
    });
  });

  it('reads the way back to the platform', () => {
    const { platform } = parseProvision({
      uuid: UUID,
      plan: 'basic',
      callback_url: `https://souk.test/addons/${UUID}`,
      oauth_grant: { code: 'the code', expires_at: '2026-01-31T12:05:00Z', type: 'authorization_code' },
      log_input_url: 'https://token:t.1@souk.test/logs',
      log_drain_token: 'd.1',
    });
    assert.deepEqual(platform, {
      callbackUrl: `https://souk.test/addons/${UUID}`,
      grant: { code: 'the code', expiresAt: '2026-01-31T12:05:00Z' },
      logInputUrl: 'https://token:t.1@souk.test/logs',
      logDrainToken: 'd.1',
    });
  });

  it('does with a uuid and a plan', () => {
    const nothing = { name: null, region: null, options: {}, platform: NO_FACTS };
    assert.deepEqual(parseProvision({ uuid: UUID, plan: 'basic' }), {
      uuid: UUID,
      plan: 'basic',
      ...nothing,
    });
    assert.deepEqual(parseProvision({ uuid: UUID, plan: 'basic', name: 7, options: 'x' }), {
      uuid: UUID,
      plan: 'basic',
      ...nothing,
    });
  });

  it.each([
    undefined,
    null,
    [],
    'text',
    7,
    {},
    { uuid: UUID },
    { uuid: 'x', plan: 'basic' },
    { uuid: UUID, plan: '' },
  ])('refuses %j', (body) => {
    assert.throws(
      () => parseProvision(body),
      (error) => error instanceof ProviderError && error.status === 422,
    );
  });
});

describe('parseUuid', () => {
  it.each([
    `${UUID} `,
    `{${UUID}}`,
    UUID.slice(1),
    `${UUID}0`,
    UUID.replaceAll('-', ''),
    "' OR 1=1",
    '',
    7,
    null,
  ])('takes %j for none', (value) => assert.equal(parseUuid(value), null));
});

describe('parsePlan', () => {
  it('reads the plan', () => assert.equal(parsePlan({ plan: 'larger', uuid: 'whatever' }), 'larger'));
});

describe('parsePage', () => {
  it.each([
    [{}, { after: '0', max: 100 }],
    [
      { cursor: '17', limit: '5' },
      { after: '17', max: 5 },
    ],
  ])('reads %j', (query, expected) => assert.deepEqual(parsePage(query), expected));

  it.each([
    { limit: '0' },
    { limit: '1001' },
    { limit: 'x' },
    { limit: '1.5' },
    { cursor: '-1' },
    { cursor: ['1', '2'] },
  ])('refuses %j', (query) => assert.throws(() => parsePage(query), ProviderError));
});
