import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { providerClusterUrl } from './inventory.js';
import {
  Bench,
  fill,
  FILLED_TABLE,
  fillUntilEnded,
  type ProviderProcess,
  rowsOf,
  until,
  urlIn,
} from './spec-support.js';
import { Platform } from './spec-quota.js';

describe('the Postgres provider, when something around it fails', () => {
  const bench = new Bench();
  let home: string;
  let platform: Platform;
  let provider: ProviderProcess;

  beforeAll(async () => {
    home = await bench.home();
    platform = await Platform.start();
    provider = await bench.start({
      SOUK_HOME: home,
      SOUK_PLATFORM_URL: platform.url,
      SOUK_QUOTA_INTERVAL_MS: '100',
      SOUK_STATEMENT_MAX_MS: '700',
      SOUK_POSTGRES_TRANSACTION_MAX_MS: '2500',
      // Between an empty database and one with a table of some size.
      SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: String(9 * 1024 * 1024),
    });
  });
  afterAll(async () => {
    await bench.clear();
    await platform.stop();
  });

  /** The postmaster's process id, from its own file. */
  async function postmaster(): Promise<number> {
    const [row] = await rowsOf<{ folder: string }>(
      await providerClusterUrl(home),
      `SELECT current_setting('data_directory') AS folder`,
    );
    return Number((await readFile(`${row?.folder}/postmaster.pid`, 'utf8')).split('\n')[0]);
  }

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'starts its cluster again after a %s',
    async (signal) => {
      const { uuid, url } = await provider.tenant();
      await bench.connect(url);
      const before = await postmaster();
      process.kill(before, signal);
      await until('another server runs', () =>
        postmaster().then(
          (pid) => pid !== before,
          () => false,
        ),
      );
      // While it is away calls get 503, never a false success; whether one of ours meets that moment is chance.
      const late = randomUUID();
      const seen = new Set<number>();
      await until('it provisions again', async () => {
        const { status } = await provider.provision(late);
        seen.add(status);
        return status === 200;
      });
      assert.ok(
        [...seen].every((status) => status === 200 || status === 503),
        [...seen].join(', '),
      );
      await until('it is healthy', () => provider.healthy());
      assert.equal(urlIn(await provider.provision(uuid)), url);
      await rowsOf(url, 'SELECT 1');
      assert.equal((await provider.deprovision(uuid)).status, 204);
      assert.equal((await provider.deprovision(late)).status, 204);
    },
  );

  it('survives the death of all its connections', async () => {
    const admin = await providerClusterUrl(home);
    for (let round = 0; round < 3; round++) {
      await rowsOf(
        admin,
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
      );
      await until('it provisions again', async () => {
        const { status, body } = await provider.provision();
        if (status === 200) await provider.deprovision(body.id ?? '');
        return status === 200;
      });
    }
  });

  /** False while the database is closed for a change. */
  const truncated = (url: string): Promise<boolean> =>
    rowsOf(url, 'TRUNCATE things').then(
      () => true,
      () => false,
    );

  it('delivers notices in their order once the platform is there again', async () => {
    platform.status = 500;
    const { uuid, url } = await provider.tenant();
    await rowsOf(url, FILLED_TABLE);
    await fillUntilEnded(await bench.connect(url));
    await until('a notice was refused', async () => platform.refused.some((notice) => notice.uuid === uuid));
    await until('it can be read', () => truncated(url));
    await until('writes go on', () =>
      rowsOf(url, 'CREATE TABLE proof (a int)').then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(platform.of(uuid), []);
    platform.status = 204;
    await until('the last one is there', async () => platform.of(uuid).at(-1)?.cleared === true);
    const told = platform.of(uuid).map(({ key, severity, cleared }) => [key, severity, cleared]);
    // On its way up the size may have been measured between 90 and 100 %.
    assert.deepEqual(
      told.filter(([, severity]) => severity !== 'warning'),
      [
        ['storage', 'critical', false],
        ['storage', 'info', true],
      ],
    );
    await provider.deprovision(uuid);
  });

  it('gives a notice up whose add-on the platform does not know any more', async () => {
    platform.status = 410;
    const before = platform.refused.length;
    const { uuid, url } = await provider.tenant();
    await rowsOf(url, FILLED_TABLE);
    await fillUntilEnded(await bench.connect(url));
    await until('it was refused', async () =>
      platform.refused.slice(before).some((notice) => notice.uuid === uuid && notice.severity === 'critical'),
    );
    platform.status = 204;
    await until('it can be read', () => truncated(url));
    await until('the last one is heard', async () => platform.of(uuid).at(-1)?.cleared === true);
    // A size that was measured in the middle of the truncation may have warned; the one that was given up never comes.
    assert.deepEqual(
      platform.of(uuid).filter(({ severity }) => severity === 'critical'),
      [],
    );
    await provider.deprovision(uuid);
  });

  /** A table with an index whose function never ends, and catches its cancellation, for sessions of that name. */
  async function trap(url: string, applicationName: string): Promise<void> {
    await rowsOf(
      url,
      `SET application_name = 'app'; CREATE TABLE trapped (a int);
       CREATE FUNCTION trap(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
         WHILE current_setting('application_name') = '${applicationName}' LOOP
           BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END;
         END LOOP;
         RETURN a;
       END $$;
       CREATE INDEX ON trapped (trap(a))`,
    );
  }

  /**
   * Fills a database over its quota with rows that stay: the statement that the quota ends leaves only dead rows, and
   * giving those back can be all that the database needs. A superuser may go on writing once others were stopped.
   */
  async function overfill({ uuid, url }: { uuid: string; url: string }): Promise<void> {
    await rowsOf(url, FILLED_TABLE);
    const admin = new URL(await providerClusterUrl(home));
    admin.pathname = new URL(url).pathname;
    await until('the rows are in', () =>
      rowsOf(admin.href, fill(3)).then(
        () => true,
        () => false,
      ),
    );
    await until('its writes are stopped', async () =>
      platform.of(uuid).some(({ severity }) => severity === 'critical'),
    );
  }

  it('gives space back to others while two databases make their own rewrite endless', async () => {
    const hostile = [await provider.tenant(), await provider.tenant()];
    for (const { uuid, url } of hostile) {
      await trap(url, 'souk-postgres');
      await rowsOf(
        url,
        `SET application_name = 'app'; INSERT INTO trapped SELECT i FROM generate_series(1, 15000) i`,
      );
      await overfill({ uuid, url });
      await until('rows can be deleted', () =>
        rowsOf(url, 'DELETE FROM trapped WHERE a % 2 = 0').then(
          () => true,
          () => false,
        ),
      );
    }
    const admin = await providerClusterUrl(home);
    const stuck = `SELECT datname FROM pg_stat_activity WHERE query LIKE 'VACUUM (FULL) %trapped' AND state = 'active'`;
    // Each is cut short after a while, and rests: the first may be past that when the second begins.
    const names = hostile.map(({ url }) => new URL(url).pathname.slice(1));
    await until('both have held a place', async () => {
      const holding = (await rowsOf<{ datname: string }>(admin, stuck)).map(({ datname }) => datname);
      return names.every(
        (name) =>
          holding.includes(name) ||
          provider.lines.some((line) => line.includes('have a rest') && line.includes(name)),
      );
    });
    const honest = await provider.tenant();
    await overfill(honest);
    await until('rows can be deleted', () =>
      rowsOf(honest.url, 'DELETE FROM things').then(
        () => true,
        () => false,
      ),
    );
    await until(
      'it has its turn',
      async () => platform.of(honest.uuid).at(-1)?.cleared === true,
      90_000,
    ).catch((error: unknown) => {
      throw new Error(provider.lines.slice(-40).join('\n'), { cause: error });
    });
    await until('none of ours is stuck', async () => (await rowsOf(admin, stuck)).length === 0);
    for (const { uuid } of [...hostile, honest]) assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('lets a database rest whose rewrites fail late, with whatever error', async () => {
    const { uuid, url } = await provider.tenant();
    const database = new URL(url).pathname.slice(1);
    // Sooner than the time limit of a rewrite, and with an error of its own.
    await rowsOf(
      url,
      `SET application_name = 'app';
       CREATE FUNCTION late(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
         IF current_setting('application_name') = 'souk-postgres' THEN PERFORM pg_sleep(6); RAISE 'no'; END IF;
         RETURN a;
       END $$;
       CREATE TABLE one (a int); CREATE INDEX ON one (late(a)); INSERT INTO one SELECT generate_series(1, 5000);
       CREATE TABLE two (a int); CREATE INDEX ON two (late(a)); INSERT INTO two SELECT generate_series(1, 5000)`,
    );
    await overfill({ uuid, url });
    for (const table of ['one', 'two'])
      await until('rows can be deleted', () =>
        rowsOf(url, `DELETE FROM ${table} WHERE a % 2 = 0`).then(
          () => true,
          () => false,
        ),
      );
    const of = (words: string) =>
      provider.lines.filter((line) => line.includes(words) && line.includes(database));
    await until('it rests', async () => of('have a rest').length === 1);
    assert.equal(of('could not be rewritten').length, 1);
    assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  describe('the watchdog', () => {
    let url: string;
    beforeAll(async () => {
      ({ url } = await provider.tenant());
    });

    it('cancels a statement that takes too long, whatever the tenant set', async () => {
      const session = await bench.connect(url);
      await session.query('SET statement_timeout = 0');
      await assert.rejects(session.query('SELECT pg_sleep(60)'), { code: '57014' });
      await session.query('SELECT 1');
    });

    it('ends a session whose function catches the cancellation', async () => {
      const session = await bench.connect(url);
      await assert.rejects(
        session.query(`DO $$ BEGIN LOOP
          BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END;
        END LOOP; END $$`),
      );
      await assert.rejects(session.query('SELECT 1'));
    });

    it('ends a session that idles in a transaction, and none that just idles', async () => {
      const [idle, holding] = [await bench.connect(url), await bench.connect(url)];
      await idle.query('SET idle_in_transaction_session_timeout = 0');
      const ended = new Promise((resolve) => holding.once('end', resolve));
      await holding.query('BEGIN; CREATE TABLE locked (a int)');
      await ended;
      await idle.query('SELECT 1');
    });

    it('ends a transaction that goes on and on, one short statement after the other', async () => {
      const session = await bench.connect(url);
      await session.query('BEGIN');
      const began = performance.now();
      const going = (async () => {
        for (;;) await session.query('SELECT 1');
      })();
      await assert.rejects(going);
      assert.ok(performance.now() - began > 2_000);
    });

    it('ends an automatic ANALYZE that runs a function without end, and the table gets no more of them', async () => {
      const admin = await providerClusterUrl(home);
      await rowsOf(admin, `ALTER SYSTEM SET autovacuum_naptime = '1s'`);
      await rowsOf(admin, 'SELECT pg_reload_conf()');
      await trap(url, '');
      await rowsOf(
        url,
        `SET application_name = 'app';
         ALTER TABLE trapped SET (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0);
         INSERT INTO trapped SELECT i FROM generate_series(1, 1000) i`,
      );
      const said = (words: string) => async () => provider.lines.some((line) => line.includes(words));
      await until('it was ended', said('an automatic ANALYZE took too long'));
      await until('it does not come again', said('not analyzed automatically any more'));
      const [table] = await rowsOf<{ reloptions: string[] }>(
        url,
        `SELECT reloptions FROM pg_class WHERE relname = 'trapped'`,
      );
      assert.ok(table?.reloptions.includes('autovacuum_analyze_threshold=2147483647'));
      const workers = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%trapped%'`;
      await until('no worker is held', async () => (await rowsOf(admin, workers)).length === 0);
    });

    it('ends a session that takes the locks of the whole cluster', async () => {
      const session = await bench.connect(url);
      const ended = new Promise((resolve) => session.once('end', resolve));
      await session.query('SELECT count(pg_advisory_lock(g)) FROM generate_series(1, 12000) g');
      await ended;
    });

    it('takes back a setting that is kept to store data', async () => {
      await rowsOf(
        url,
        `DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER SET search_path = %L',
          (SELECT string_agg(md5(g::text), ',') FROM generate_series(1, 2000) g)); END $$`,
      );
      await rowsOf(url, `ALTER ROLE CURRENT_USER SET work_mem = '5MB'`);
      const settings = await until('it is gone', async () => {
        const [role] = await rowsOf<{ rolconfig: string[] }>(
          url,
          'SELECT rolconfig FROM pg_roles WHERE rolname = CURRENT_USER',
        );
        return role !== undefined && role.rolconfig.length === 2 && role.rolconfig;
      });
      assert.deepEqual(settings, ['temp_file_limit=9216kB', 'work_mem=5MB']);
    });
  });
});
