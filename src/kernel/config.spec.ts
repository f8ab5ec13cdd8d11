import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { localUrl, readSettings, SettingsError } from './config.js';

const problemsOf = (env: NodeJS.ProcessEnv): string[] => {
  try {
    readSettings(env, '/work');
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
};

describe('readSettings', () => {
  it('has a default for everything', () => {
    const settings = readSettings({}, '/work');
    assert.deepEqual(
      { ...settings, waits: undefined },
      {
        home: '/work/.souk',
        host: '127.0.0.1',
        port: 5000,
        role: 'all',
        databaseUrl: null,
        redisUrl: null,
        queue: 'auto',
        masterKey: null,
        admin: null,
        providers: null,
        egressAllow: [],
        logLevel: 'info',
        publicUrl: null,
        waits: undefined,
      },
    );
  });

  it('takes an empty variable for one that is not set', () => {
    assert.deepEqual(
      readSettings({ DATABASE_URL: '', PORT: ' ', SOUK_ROLE: '' }, '/work'),
      readSettings({}, '/work'),
    );
  });

  it('reads lists and keeps secrets unprintable', () => {
    const settings = readSettings(
      { SOUK_PROVIDERS: 'postgres, redis,', REDIS_URL: 'redis://:pass@h:1/0', SOUK_HOME: '/h' },
      '/work',
    );
    assert.deepEqual(settings.providers, ['postgres', 'redis']);
    assert.doesNotMatch(JSON.stringify(settings), /pass/);
    assert.equal(settings.redisUrl?.reveal(), 'redis://:pass@h:1/0');
  });

  it.each([
    [{ PORT: 'x' }, 'PORT'],
    [{ SOUK_EGRESS_ALLOW: '10.0.0.1,intranet' }, 'SOUK_EGRESS_ALLOW'],
    [{ PORT: '70000' }, 'PORT'],
    [{ PORT: '-1' }, 'PORT'],
    [{ SOUK_ROLE: 'boss' }, 'SOUK_ROLE'],
    [{ SOUK_QUEUE: 'rabbit' }, 'SOUK_QUEUE'],
    [{ SOUK_LOG_LEVEL: 'loud' }, 'SOUK_LOG_LEVEL'],
    [{ DATABASE_URL: 'nonsense', SOUK_HOME: '/h' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://h/d' }, 'SOUK_MASTER_KEY'],
    [{ REDIS_URL: 'http://h' }, 'REDIS_URL'],
    [{ SOUK_ADMIN_EMAIL: 'a@b.c' }, 'SOUK_ADMIN_TOKEN'],
    [{ SOUK_ADMIN_EMAIL: 'nobody', SOUK_ADMIN_TOKEN: 'x'.repeat(20) }, 'SOUK_ADMIN_EMAIL'],
    [{ SOUK_ADMIN_EMAIL: 'a@b.c', SOUK_ADMIN_TOKEN: 'short' }, '16 characters'],
    [{ HOST: 'http://127.0.0.1' }, 'HOST'],
    [{ HOST: '127.0.0.1:5000' }, 'HOST'],
    [{ SOUK_PUBLIC_URL: 'souk.example.test' }, 'SOUK_PUBLIC_URL'],
    [{ SOUK_PUBLIC_URL: 'ftp://souk.example.test' }, 'SOUK_PUBLIC_URL'],
    [{ SOUK_PUBLIC_URL: 'https://souk.example.test/?a=b' }, 'SOUK_PUBLIC_URL'],
    [{ SOUK_MASTER_KEY: 'short' }, 'SOUK_MASTER_KEY: key k1 must be 32 bytes'],
    [{ SOUK_SETTLE_MS: 'soon' }, 'SOUK_SETTLE_MS'],
    [{ SOUK_LEASE_MS: '1000' }, 'SOUK_LEASE_MS must be longer'],
  ])('names what is wrong with %j', (env, words) => {
    const problems = problemsOf(env);
    assert.equal(problems.length, 1, problems.join(' '));
    assert.ok(problems[0]?.includes(words), problems[0]);
  });

  it('takes the slash off the public address', () => {
    assert.equal(
      readSettings({ SOUK_PUBLIC_URL: 'https://a.test/souk/' }, '/').publicUrl,
      'https://a.test/souk',
    );
  });

  it('names everything that is wrong at once', () => {
    assert.equal(problemsOf({ PORT: 'x', SOUK_ROLE: 'boss', REDIS_URL: 'x' }).length, 3);
  });
});

describe('localUrl', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:1'],
    ['0.0.0.0', 'http://127.0.0.1:1'],
    ['::', 'http://127.0.0.1:1'],
    ['::1', 'http://[::1]:1'],
    ['10.1.2.3', 'http://10.1.2.3:1'],
    ['localhost', 'http://localhost:1'],
  ])('of %s is %s', (host, url) => {
    assert.equal(localUrl(host, 1), url);
    assert.ok(URL.canParse(url));
  });
});
