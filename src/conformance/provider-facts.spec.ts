import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { readProviderFacts } from './provider-facts.js';
import { ConformanceError } from './verdict.js';

const manifest = (production: unknown, more: Record<string, unknown> = {}) => ({
  id: 'acme',
  api: {
    password: 'secret',
    sso_salt: 'salt',
    regions: ['eu'],
    config_vars: ['ACME_URL'],
    production,
    ...more,
  },
  plans: [{ id: 'small' }, { id: 'large', default: true }],
});
const LOCAL = { base_url: 'http://127.0.0.1:1/heroku/resources/', sso_url: 'http://127.0.0.1:1/sso?x=1' };
const read = (input: unknown, options: Partial<Parameters<typeof readProviderFacts>[1]> = {}) =>
  readProviderFacts(input, { allowRemote: false, ...options });

describe('the facts of a provider', () => {
  it('are the actions that can be run without params, queries first', () => {
    const needy = { type: 'object', required: ['x'], properties: { x: { type: 'string' } } };
    const actions = [
      { name: 'wipe', kind: 'command' },
      { name: 'ask', kind: 'query', params: needy },
      { name: 'stats', kind: 'query' },
    ];
    const facts = read({ ...manifest(LOCAL), souk: { actions } });
    assert.deepEqual([facts.actions, facts.hasActions], [['stats', 'wipe'], true]);
  });

  it('are those of its manifest', () => {
    assert.deepEqual(read(manifest(LOCAL)), {
      slug: 'acme',
      password: 'secret',
      ssoSalt: 'salt',
      configVars: ['ACME_URL'],
      plans: ['large', 'small'],
      region: 'eu',
      baseUrl: 'http://127.0.0.1:1/heroku/resources',
      ssoUrl: 'http://127.0.0.1:1/sso?x=1',
      actions: [],
      hasActions: false,
      wantsLogs: false,
    });
  });

  it('prefer the address of tests, and a given one before all', () => {
    const test = { base_url: 'http://localhost:2/r', sso_url: 'http://localhost:2/s' };
    const remote = { base_url: 'https://acme.example/r', sso_url: 'https://acme.example/s' };
    assert.equal(read(manifest(remote, { test })).baseUrl, 'http://localhost:2/r');
    const given = read(manifest(remote), { baseUrl: 'http://[::1]:3/r' });
    assert.deepEqual([given.baseUrl, given.ssoUrl], ['http://[::1]:3/r', 'http://[::1]:3/s']);
  });

  it('take what is given for what the manifest says', () => {
    const facts = read(manifest(LOCAL), { password: 'other', ssoSalt: 'pepper', plan: 'small' });
    assert.deepEqual([facts.password, facts.ssoSalt, facts.plans], ['other', 'pepper', ['small', 'large']]);
  });

  it('know a manifest without plans, as Heroku has it', () => {
    assert.deepEqual(read({ ...manifest('http://127.0.0.1:1/r'), plans: undefined }).plans, ['test']);
  });
});

describe('other machines', () => {
  it.each([
    ['https://acme.example/r', false, /is not this machine/],
    ['http://127.0.0.1.acme.example/r', false, /is not this machine/],
    ['https://localhost.acme.example/r', false, /is not this machine/],
    ['http://user@10.0.0.1/r', false, /is not this machine/],
    ['http://acme.example/r', true, /https only/],
    ['file:///etc/passwd', true, /no http or https address/],
    ['acme', true, /no http or https address/],
  ])('%s is refused (allowed: %s)', (baseUrl, allowRemote, sentence) => {
    assert.throws(
      () => read(manifest(LOCAL), { baseUrl, allowRemote }),
      (error) => error instanceof ConformanceError && sentence.test(error.message),
    );
  });

  it('are called by https when somebody said so', () => {
    assert.equal(
      read(manifest(LOCAL), { baseUrl: 'https://acme.example/r', allowRemote: true }).baseUrl,
      'https://acme.example/r',
    );
  });

  it('are refused for the sign-on as well', () => {
    assert.throws(
      () => read(manifest({ ...LOCAL, sso_url: 'https://acme.example/s' })),
      /is not this machine/,
    );
  });
});

it.each([
  [{}, /no id/],
  [{ id: 'acme' }, /no api\.password/],
  [{ id: 'acme', api: { password: 'x' } }, /no api\.production\.base_url/],
  [null, /no id/],
])('a manifest that nobody can call by is refused: %j', (input, sentence) => {
  assert.throws(() => read(input), sentence);
});
