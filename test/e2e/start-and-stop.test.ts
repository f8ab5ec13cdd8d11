import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { freePort, startPostgres, startRedis } from '../../providers/engines/index.js';
import { ok } from '../support/api.js';
import { childrenOf, processesOf, removeSouk } from '../support/leftovers.js';
import { OwnSouk } from '../support/own-souk.js';
import type { AddonBody } from '../support/resources.js';
import { until } from '../support/until.js';

let souk: OwnSouk;
beforeEach(() => {
  souk = new OwnSouk();
});
afterEach(() => souk.remove());

const provision = async () => {
  ok(await souk.api.post('/apps', { name: 'shop' }));
  const addon = ok(await souk.api.post<AddonBody>('/apps/shop/addons', { plan: 'souk-postgresql' }));
  assert.equal(addon.state, 'provisioned');
};

describe('a start that is given up', () => {
  it.each([
    ['SIGINT', 'Making a PostgreSQL', 130],
    ['SIGTERM', 'Starting Valkey', 143],
    ['SIGINT', 'Migrating the database', 130],
    ['SIGTERM', 'Starting the postgres provider', 143],
  ] as const)(
    'by %s at "%s" ends soon, leaves nothing running, and can be begun again',
    async (signal, step, code) => {
      const begun = souk.begin();
      await begun.waitFor(step);
      const began = performance.now();
      assert.deepEqual(await begun.kill(signal), { code, signal: null }, begun.output);
      // A whole start takes longer than that, and a stop of what was started less.
      assert.ok(performance.now() - began < 10_000, begun.output);
      assert.doesNotMatch(begun.output, /Souk is up|\n\s+at /);
      assert.deepEqual(await processesOf(souk.home), []);
      await souk.start();
      await provision();
    },
  );
});

describe('a start that cannot be', () => {
  it('since a Redis is not there goes on waiting for it, and ends when told to', async () => {
    const begun = souk.begin({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await begun.waitFor('Redis is not reachable');
    assert.deepEqual(await begun.kill('SIGTERM'), { code: 143, signal: null }, begun.output);
    assert.deepEqual(await processesOf(souk.home), []);
  });

  it.each([
    ['keyring', 'k1:cut-sho', /keyring is damaged \(key k1 must be .*Restore it from a backup/],
    ['credentials.json', '{"url": null, "em', /credentials\.json is damaged \(it is not JSON\)\. Remove it/],
    ['providers/postgres.json', '', /postgres\.json is damaged \(it is empty\)\. Remove it/],
  ])('names a damaged %s and what to do, and leaves nothing running', async (file, text, sentence) => {
    mkdirSync(join(souk.home, 'providers'), { recursive: true });
    writeFileSync(join(souk.home, file), text);
    const run = await souk.run(['up']);
    assert.equal(run.code, 1);
    assert.match(run.output, sentence);
    assert.doesNotMatch(run.output, /\n\s+at /);
    assert.deepEqual(await processesOf(souk.home), []);
  });

  it.each([
    [{ SOUK_HOME: '/proc/souk' }, /SOUK_HOME: \/proc\/souk cannot be made/],
    [{ HOST: '192.0.2.1' }, /EADDRNOTAVAIL.*HOST must be one of this machine's own/],
    [{ SOUK_MASTER_KEY: 'secret' }, /SOUK_MASTER_KEY: key k1 must be 32 bytes/],
    [{ SOUK_PUBLIC_URL: 'souk.test' }, /SOUK_PUBLIC_URL must be an address/],
  ])('says so of %j before anything is started, and so does doctor', async (env, sentence) => {
    const run = await souk.run(['up'], env);
    assert.equal(run.code, 1);
    assert.match(run.output, sentence);
    assert.doesNotMatch(run.output, /Starting|\n\s+at /);
    assert.equal(existsSync(join(souk.home, 'engines')), false);
    const doctor = await souk.run(['doctor'], env);
    assert.equal(doctor.code, 1, doctor.output);
    assert.equal(doctor.output.match(/✖/g)?.length, 1, doctor.output);
  });
});

describe('a server elsewhere than on 127.0.0.1', () => {
  it.each(['::1', '::'])(
    'HOST=%s: it is reached by its public address, by itself and by its providers',
    async (host) => {
      await souk.start({ HOST: host });
      await provision();
      const { url } = souk.credentials;
      assert.equal(new URL(url).hostname, host === '::' ? '127.0.0.1' : '[::1]');
      const [provider] = childrenOf(souk.process?.pid ?? 0).filter(({ command }) =>
        command.includes('main.js'),
      );
      const environment = readFileSync(`/proc/${provider?.pid}/environ`, 'utf8').split('\0');
      assert.ok(environment.includes(`SOUK_PLATFORM_URL=${url}`), 'where notices go');
    },
  );
});

describe('engines', () => {
  it('with DATABASE_URL and REDIS_URL, the broker starts none of its own', async () => {
    const given = join(souk.home, '..', 'given');
    const postgres = await startPostgres({ home: given, name: 'given', unsafeFast: true });
    try {
      const redis = await startRedis({ home: given, name: 'given' });
      await souk.start({
        DATABASE_URL: postgres.adminUrl,
        REDIS_URL: redis.url,
        SOUK_ADMIN_EMAIL: 'ops@souk.test',
        SOUK_ADMIN_TOKEN: 'operator-token-of-this-test',
        PORT: String(await freePort()),
      });
      assert.match(souk.process?.output ?? '', /queue on redis/);
      const children = childrenOf(souk.process?.pid ?? 0);
      assert.deepEqual(
        children.map(({ command }) => command.replace(/.*\/dist\//, '')),
        ['providers/postgres/main.js'],
      );
      assert.equal(existsSync(join(souk.home, 'engines')), false);
      // The provider's cluster is the provider's need, and below its own folder.
      assert.deepEqual(readdirSync(join(souk.home, 'providers', 'postgres', 'engines', 'postgres')), [
        'shared',
      ]);
    } finally {
      await souk.stop();
      await removeSouk(given);
    }
  });

  it('without a Redis, the queue is kept in PostgreSQL, and add-ons are provisioned all the same', async () => {
    await souk.start({ SOUK_ENGINES_DISABLE: 'valkey' });
    assert.match(souk.process?.output ?? '', /No Valkey: .*The queue is kept in PostgreSQL instead/);
    assert.match(souk.process?.output ?? '', /queue on postgres/);
    assert.equal(existsSync(join(souk.home, 'engines', 'redis')), false);
    await provision();
    assert.ok((await processesOf(souk.home)).every(({ command }) => !/valkey|redis/.test(command)));
  });
});

describe('a provider', () => {
  it('whose program cannot be started is tried again, and the broker goes on', async () => {
    const node = join(souk.home, '..', 'node');
    copyFileSync(process.execPath, node);
    const begun = souk.begin({}, 'up', node);
    await begun.waitFor('Souk is up', 120_000);
    const provider = childrenOf(begun.pid).find(({ command }) => command.includes('main.js'));
    renameSync(node, `${node}.away`);
    process.kill(provider?.pid ?? 0, 'SIGKILL');
    await begun.waitFor(/ENOENT.*"a provider ended"/);
    ok(await souk.api.get('/account'));
    renameSync(`${node}.away`, node);
    await until(async () => {
      const { url } = souk.credentials;
      assert.equal((await fetch(`${url}/health/ready`)).status, 200);
    }, 60_000);
  });
});
