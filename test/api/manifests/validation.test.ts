import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import { World } from '../../support/world.js';
import { manifestOf, push, sentencesOf } from './support.js';

let world: World;
let maker: Api;
let allowed: { address: string; port: number | null };
beforeAll(async () => {
  const egressAllow: (typeof allowed)[] = [];
  world = await World.start({ role: 'api', egressAllow });
  // Only the provider's own port of this machine.
  allowed = { address: '127.0.0.1', port: Number(new URL(world.provider.url).port) };
  egressAllow.push(allowed);
  maker = await world.newAccount();
});
afterAll(() => world.stop());

const production = (base_url: unknown, sso_url?: unknown) => ({ production: { base_url, sso_url } });
const plans = (...list: object[]) => ({ plans: list });
const paid = { id: 'a', price: { cents: 1 } };

const refusals: [string, Record<string, unknown>, Record<string, unknown>, RegExp][] = [
  ['another id than the address', { id: 'other' }, {}, /^id must be "acme-v"/],
  ['no api', { api: undefined }, {}, /^api/],
  ['no version', {}, { version: undefined }, /^api\.version must be "3"/],
  ['version 1', {}, { version: '1' }, /^api\.version must be "3"/],
  ['a user name', {}, { username: 'me' }, /^api\.username .* leave it out/],
  ['no config vars', {}, { config_vars: [] }, /^api\.config_vars must name/],
  ['a config var without the prefix', {}, { config_vars: ['OTHER_URL'] }, /OTHER_URL must begin with PG_/],
  ['a config var in small letters', {}, { config_vars: ['PG_url'] }, /PG_url must be upper-case/],
  ['the same config var twice', {}, { config_vars: ['PG_URL', 'PG_URL'] }, /each name only once/],
  ['a bad prefix', {}, { config_vars_prefix: 'p g' }, /^api\.config_vars_prefix: p g must be upper-case/],
  ['no regions', {}, { regions: [] }, /^api\.regions must name at least one/],
  ['a region that there is not', {}, { regions: ['us', 'mars'] }, /^api\.regions: mars .*frankfurt/],
  ['a log drain', {}, { requires: ['syslog_drain'] }, /syslog_drain is not available here.*log router/],
  ['log input', {}, { requires: ['log_input'] }, /log_input is not available here.*log router/],
  ['an unknown feature', {}, { requires: ['teleport'] }, /teleport is not known; choose from attachable/],
  ['no address', {}, { production: undefined }, /^api\.production\.base_url is missing/],
  ['no URL', {}, production('here'), /^api\.production\.base_url must be a (whole )?URL/],
  ['another protocol', {}, production('ftp://acme.test/x'), /base_url must begin with https/],
  ['a user in the URL', {}, production('https://u:p@acme.test/x'), /base_url must hold no user/],
  ['a query in the URL', {}, production('https://acme.test/x?y'), /base_url must hold no user/],
  ['plain http', {}, production('http://1.1.1.1/x'), /base_url must begin with https/],
  [
    'a host that could end a policy',
    {},
    production('https://acme;script-src/x'),
    /base_url must have a host name/,
  ],
  [
    'a private address',
    {},
    production('https://10.1.2.3/x'),
    /base_url leads to the private address 10\.1\.2\.3/,
  ],
  ['the cloud’s metadata', {}, production('https://169.254.169.254/x'), /leads to the private address/],
  ['loopback on another port', {}, production('http://127.0.0.1:1/x'), /127\.0\.0\.1:1 to SOUK_EGRESS_ALLOW/],
  ['loopback by name', {}, production('http://localhost:1/x'), /leads to the private address/],
  ['loopback in IPv6', {}, production('https://[::1]/x'), /private address ::1.*\[::1\]:443/],
  ['a number for loopback', {}, production('https://2130706433/x'), /private address 127\.0\.0\.1/],
  [
    'a private page for single sign-on',
    {},
    production('https://1.1.1.1/x', 'https://192.168.0.1/sso'),
    /^api\.production\.sso_url leads to the private address 192\.168\.0\.1/,
  ],
  ['half a cent', plans({ id: 'a', price: { cents: 0.5 } }), {}, /^plans\[0\]\.price\.cents must be a whole/],
  [
    'a negative price',
    plans({ id: 'a', price: { cents: -1 } }),
    {},
    /^plans\[0\]\.price\.cents must be a whole/,
  ],
  [
    'two defaults',
    plans({ ...paid, default: true }, { ...paid, id: 'b', default: true }),
    {},
    /one may be the default/,
  ],
  ['a plan twice', plans(paid, paid), {}, /^plans: each id only once/],
  ['a bad plan id', plans({ ...paid, id: 'A b' }), {}, /^plans\[0\]\.id must be lower-case/],
  ['an unknown availability', plans({ ...paid, availability: 'some' }), {}, /availability must be "all"/],
  ['a bad currency', plans({ id: 'a', price: { cents: 1, currency: 'dollars' } }), {}, /three letters/],
  ['plans that are no list', { plans: 'free' }, {}, /plans must/],
  ['meters without ids', { meters: [{}] }, {}, /^meters must be a list/],
  ['a name that moves the cursor', { name: 'Acme\u001b[2J' }, {}, /^name must be plain text/],
  ['a short client secret', {}, { client_secret: 'short' }, /^api\.client_secret must have at least 16/],
  ['a bad default attachment', { souk: { default_attachment: 'a b' } }, {}, /^souk\.default_attachment/],
  ['too much', { notes: 'x'.repeat(300_000) }, {}, /may take 256 KiB/],
];

describe('a pushed manifest', () => {
  it.each(refusals)('with %s is refused in words', async (_name, overrides, api, expected) => {
    const answer = await push(maker, 'acme-v', manifestOf(world, 'acme-v', overrides, api));
    assertRefused(answer, 422, 'manifest_invalid');
    const sentences = sentencesOf(answer);
    assert.ok(
      sentences.some((one) => expected.test(one)),
      sentences.join('\n'),
    );
    for (const one of sentences) assert.match(one, /\.$/);
    assertRefused(await maker.get('/addon-services/acme-v'), 404, 'not_found');
  });

  it.each([
    ['souk-mine', /must not begin with "souk-"/],
    ['souk-postgresql', /must not begin with "souk-"/],
    ['my-addon', /must not hold the word/],
    ['add-on-box', /must not hold the word/],
    ['Upper', /^id must be lower-case/],
    ['under_score', /^id must be lower-case/],
    ['1st', /^id must be lower-case/],
    ['dash-', /^id must be lower-case/],
    [`a${'b'.repeat(60)}`, /50 characters/],
  ])('cannot be called %s', async (id, expected) => {
    const manifest = manifestOf(world, id);
    const answer = await push(maker, id, manifest);
    assertRefused(answer, 422, 'manifest_invalid');
    assert.ok(
      sentencesOf(answer).some((one) => expected.test(one)),
      sentencesOf(answer).join(),
    );
  });

  it('is told everything that is wrong at once', async () => {
    const answer = await push(
      maker,
      'acme-v',
      manifestOf(world, 'acme-v', {}, { version: '2', regions: [] }),
    );
    assert.equal(sentencesOf(answer).length, 2);
    const nothing = await push(maker, 'acme-v', { id: 'acme-v' });
    assert.deepEqual(
      sentencesOf(nothing).map((one) => one.split(' ')[0]),
      ['api.production.base_url', 'api.regions', 'api.config_vars', 'api.version'],
    );
  });

  it.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'ok-name',
      'a name on the internet that nobody knows yet',
      {},
      production('https://acme-cache.invalid/x'),
    ],
    ['ok-text', 'a plain text for production', {}, { production: 'https://acme-cache.invalid' }],
    ['ok-regions', 'every region', {}, { regions: ['*'] }],
    [
      'ok-prefix',
      'the prefix that follows',
      {},
      { config_vars_prefix: undefined, config_vars: ['OK_PREFIX_URL'] },
    ],
    ['ok-meters', 'plans and meters', { plans: [paid], meters: [{ id: 'calls', unit: 'call' }] }, {}],
    [
      'ok-test',
      'addresses for local tests',
      {},
      { test: { base_url: 'http://localhost:4567/heroku/resources' } },
    ],
    ['ok-more', 'unknown fields', { $schema: 'x', nested: { a: [1, { b: null }] } }, {}],
  ])('%s with %s is taken as it is', async (id, _name, overrides, api) => {
    const manifest = manifestOf(world, id, overrides, api);
    const { contents } = ok(await push(maker, id, manifest));
    const { password: _password, sso_salt: _salt, ...rest } = contents.api;
    const { $base: _base, ...pushed } = { ...contents, api: rest };
    assert.deepEqual(pushed, JSON.parse(JSON.stringify(manifest)));
  });
});
