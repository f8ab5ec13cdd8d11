import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, describe, it } from 'vitest';
import { EngineUnavailable, type PostgresCluster, type PostgresOptions, startPostgres } from './index.js';
import { SYSTEM_DATA } from './place.js';
import { isPortFree } from './ports.js';
import { isAlive, waitFor } from './processes.js';
import {
  assertUnprivileged,
  isConnectedTo,
  countProcesses,
  killed,
  modeOf,
  withEnvironment,
  Workbench,
} from './spec-support.js';

describe('startPostgres', () => {
  const bench = new Workbench();
  const started: PostgresCluster[] = [];

  async function start(home: string, more: Partial<PostgresOptions> = {}): Promise<PostgresCluster> {
    const cluster = await startPostgres({ home, name: 'main', unsafeFast: true, ...more });
    started.push(cluster);
    return cluster;
  }

  async function query(cluster: PostgresCluster, sql: string, host = cluster.host): Promise<string[]> {
    const url = new URL(cluster.adminUrl);
    url.hostname = host;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      const { rows } = await client.query<{ value: string }>(sql);
      return rows.map((row) => row.value);
    } finally {
      await client.end();
    }
  }

  afterEach(async () => {
    for (const cluster of started.splice(0)) await cluster.stop();
    await bench.clear();
  });

  it('makes a private cluster of UTF-8 that answers on localhost', async () => {
    const home = await bench.home(0o755);
    const cluster = await start(home);
    assert.match(cluster.version, /^\d+\.\d+$/);
    assert.deepEqual(
      await query(cluster, `SELECT pg_encoding_to_char(encoding) AS value FROM pg_database`, 'localhost'),
      ['UTF8', 'UTF8', 'UTF8'],
    );
    assert.deepEqual(await query(cluster, `SELECT lower('ÄÖ') AS value`), ['äö']);
    assert.equal(await modeOf(cluster.dataFolder), '700');
    assert.equal(await modeOf(join(home, 'engines/postgres/main/state.json')), '600');
    await assertUnprivileged(cluster.pid);
  });

  it('refuses a wrong password, and shows no secret to its children', async () => {
    const home = await bench.home(0o755);
    const cluster = await withEnvironment({ SOUK_TEST_SECRET: 'open sesame' }, () => start(home));
    const url = new URL(cluster.adminUrl);
    url.password = 'wrong';
    await assert.rejects(new Client({ connectionString: url.href }).connect(), { code: '28P01' });
    await query(cluster, 'CREATE TABLE seen (value text)');
    await query(cluster, `COPY seen FROM PROGRAM 'env'`);
    const seen = await query(cluster, 'SELECT value FROM seen');
    assert.ok(seen.includes('TZ=UTC'), seen.join(' '));
    assert.ok(!seen.some((line) => line.includes('sesame')));
  });

  it('is found again: while it runs, and with its port and password after a clean stop', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    const second = await start(home);
    assert.equal(second.pid, first.pid);
    assert.equal(second.adminUrl, first.adminUrl);

    await first.stop();
    await second.stop();
    assert.equal(await isAlive(first.pid), false);
    assert.equal(await isPortFree(first.port), true);
    const log = await readFile(join(home, 'engines/postgres/main/server.log'), 'utf8');
    assert.match(log, /database system is shut down\n$/);

    const third = await start(home);
    assert.notEqual(third.pid, first.pid);
    assert.equal(third.adminUrl, first.adminUrl);
  });

  it('recovers what was committed when the postmaster is killed', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    await query(first, `CREATE TABLE kept AS SELECT 'here' AS value`);
    process.kill(first.pid, 'SIGKILL');
    const second = await start(home);
    assert.notEqual(second.pid, first.pid);
    assert.deepEqual(await query(second, 'SELECT value FROM kept'), ['here']);
  });

  it('starts anew when the server dies while it is being adopted', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    process.kill(first.pid, 'SIGSTOP');
    const starting = start(home);
    await waitFor('the question to the sleeping server', 10_000, () => isConnectedTo(first.port));
    process.kill(first.pid, 'SIGKILL');
    const second = await starting;
    assert.notEqual(second.pid, first.pid);
    assert.deepEqual(await query(second, `SELECT 'up' AS value`), ['up']);
  });

  it('starts although its pid file names a process that is another program now', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    const pidFile = join(first.dataFolder, 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await first.stop();
    await writeFile(pidFile, text.replace(/^\d+/, String(process.pid)), { mode: 0o600 });
    const second = await start(home);
    assert.deepEqual(await query(second, `SELECT 'up' AS value`), ['up']);
  });

  it('takes another port when somebody took its own', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    await first.stop();
    const squatter = createServer().listen(first.port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await start(home);
      assert.notEqual(second.port, first.port);
      assert.equal((await start(home)).port, second.port);
    } finally {
      squatter.close();
    }
  });

  it('is one server when several processes start it at once, and outlives their death', async () => {
    const home = await bench.home(0o755);
    const script = `
      import { startPostgres } from './index.js';
      const { pid, port } = await startPostgres({ home: ${JSON.stringify(home)}, name: 'main', unsafeFast: true });
      console.log(JSON.stringify({ pid, port }));
      setInterval(() => {}, 1000);
    `;
    const others = await Promise.all([1, 2, 3].map(() => bench.otherProcess(script)));
    assert.equal(new Set(others.map(([, line]) => line)).size, 1);
    for (const [child] of others) await killed(child);
    const adopted = await start(home);
    assert.equal(JSON.stringify({ pid: adopted.pid, port: adopted.port }), others[0]?.[1]);
    await adopted.stop();
    assert.equal(await countProcesses(adopted.dataFolder), 0);
  });

  it('starts where a process was killed in the middle of making the cluster', async () => {
    const home = await bench.home(0o755);
    const [child] = await bench.otherProcess(`
      import { startPostgres } from './index.js';
      const progress = () => console.log('making');
      await startPostgres({ home: ${JSON.stringify(home)}, name: 'main', unsafeFast: true, progress });
    `);
    await killed(child);
    const cluster = await start(home);
    assert.deepEqual(await query(cluster, `SELECT 'up' AS value`), ['up']);
    // Nothing of the killed attempt is left but what the cluster itself needs.
    assert.deepEqual((await readdir(join(home, 'engines/postgres/main'))).sort(), [
      ...['data', 'server.log', 'state.json'],
    ]);
  });

  it('applies settings at the start, and to a running server', async () => {
    const home = await bench.home(0o755);
    const first = await start(home, { settings: { max_connections: '33', work_mem: '5MB' } });
    const ask = `SELECT current_setting('max_connections') || ' ' || current_setting('work_mem') AS value`;
    assert.deepEqual(await query(first, ask), ['33 5MB']);
    const second = await start(home, { settings: { max_connections: '33', work_mem: '7MB' } });
    assert.equal(second.pid, first.pid);
    await waitFor('the new setting', 10_000, async () => (await query(second, ask))[0] === '33 7MB');
    await assert.rejects(start(home, { settings: { 'x = 1\ny': '1' } }), /no name of a PostgreSQL setting/);
  });

  it('works in a home that is closed to others', async () => {
    const home = await bench.home(0o700);
    const cluster = await start(home);
    await assertUnprivileged(cluster.pid);
    assert.ok(cluster.dataFolder.startsWith(process.getuid?.() === 0 ? SYSTEM_DATA : home));
    await cluster.stop();
    assert.equal((await start(home)).dataFolder, cluster.dataFolder);
  });

  it('finds its data in a home that was moved, and does not take that of a home it was copied from', async () => {
    const home = await bench.home(0o700);
    const first = await start(home);
    await query(first, `CREATE TABLE kept AS SELECT 'here' AS value`);
    await first.stop();
    const moved = await bench.home(0o700);
    await rename(join(home, 'engines'), join(moved, 'engines'));
    const second = await start(moved);
    assert.deepEqual(await query(second, 'SELECT value FROM kept'), ['here']);

    const copy = await bench.home(0o700);
    await cp(join(moved, 'engines'), join(copy, 'engines'), { recursive: true });
    // Root's data is outside of the home; everyone else's was copied with it.
    if (process.getuid?.() === 0) await assert.rejects(start(copy), /is a copy of/);
    else assert.notEqual((await start(copy)).pid, second.pid);
    await rm(join(copy, 'engines/id'), { force: true });
    assert.deepEqual(await query(second, 'SELECT value FROM kept'), ['here']);
  });

  it('stops a server whose home was removed below it, and stopping again is nothing', async () => {
    const home = await bench.home(0o755);
    const cluster = await start(home);
    await rm(home, { recursive: true });
    await cluster.stop();
    assert.equal(await isAlive(cluster.pid), false);
    await cluster.stop();
  });

  it('does not make a new cluster in the place of one that was lost', async () => {
    const home = await bench.home(0o755);
    const cluster = await start(home);
    await cluster.stop();
    await rename(cluster.dataFolder, `${cluster.dataFolder}.lost`);
    await assert.rejects(start(home), /is gone\. Restore it/);
  });

  it('says how to get it when it is switched off', async () => {
    const home = await bench.home(0o755);
    const attempt = withEnvironment({ SOUK_ENGINES_DISABLE: 'valkey, postgresql' }, () => start(home));
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof EngineUnavailable);
      assert.equal(error.missing.engine, 'postgresql');
      assert.equal(error.missing.fix, 'Take postgresql out of SOUK_ENGINES_DISABLE.');
      return true;
    });
  });
});
