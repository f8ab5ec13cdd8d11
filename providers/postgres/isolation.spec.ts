import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { listTenants, providerClusterUrl } from './inventory.js';
import { Bench, type ProviderProcess, rowsOf } from './spec-support.js';

/** What was refused, and as what: no such right, no such thing, or not possible at all. */
const FORBIDDEN = '42501';

describe.each(['a cluster of its own', 'a given cluster'])('a tenant on %s', (kind) => {
  const bench = new Bench();
  let provider: ProviderProcess;
  let adminUrl: string;
  let a: { url: string; login: string; owner: string; database: string; session: Client };
  let b: { url: string; login: string; owner: string; database: string; session: Client };

  async function tenant() {
    const { url } = await provider.tenant();
    const { username: login, pathname } = new URL(url);
    const session = await bench.connect(url);
    return { url, login, database: pathname.slice(1), owner: login.replace('u', 'o'), session };
  }

  beforeAll(async () => {
    const home = await bench.home();
    const given = kind === 'a given cluster' ? await bench.cluster(home) : null;
    provider = await bench.start({
      SOUK_HOME: home,
      ...(given === null ? {} : { SOUK_POSTGRES_CLUSTER_URL: given.adminUrl }),
    });
    adminUrl = given?.adminUrl ?? (await providerClusterUrl(home));
    [a, b] = [await tenant(), await tenant()];
    await b.session.query(`CREATE TABLE secrets (text text); INSERT INTO secrets VALUES ('of b');
      ALTER ROLE CURRENT_USER SET application_name = 'a setting of b'`);
  });
  afterAll(() => bench.clear());

  const at = (url: string, change: { user?: string; password?: string; database?: string }): string => {
    const other = new URL(url);
    if (change.user !== undefined) other.username = change.user;
    if (change.password !== undefined) other.password = change.password;
    if (change.database !== undefined) other.pathname = `/${change.database}`;
    return other.href;
  };

  const assertNoEntry = async (url: string): Promise<void> => {
    await assert.rejects(rowsOf(url, 'SELECT 1'), (error) => {
      assert.ok(error instanceof DatabaseError, String(error));
      // Wrong password, no rule that lets in, no right to connect, no log-in at all.
      assert.ok(
        ['28P01', '28000', FORBIDDEN, '55000', '53300'].includes(error.code ?? ''),
        `${error.code} ${url}`,
      );
      return true;
    });
  };

  const refusal = async (sql: string): Promise<string> => {
    try {
      await a.session.query(sql);
    } catch (error) {
      if (error instanceof DatabaseError) return error.code ?? '';
      throw error;
    }
    return 'done';
  };

  it('cannot log in anywhere but to its own database', async () => {
    for (const database of [b.database, 'postgres', 'template1', 'template0', 'souk_template', 'provider'])
      await assertNoEntry(at(a.url, { database }));
    for (const user of [b.login, b.owner, b.database, a.owner, a.database, 'postgres', 'souk_tenant'])
      for (const database of [a.database, b.database]) await assertNoEntry(at(a.url, { user, database }));
    await assertNoEntry(at(b.url, { database: a.database }));
    const replication = new Client({ connectionString: a.url, ...{ replication: 'database' } });
    await assert.rejects(replication.connect());
  });

  it('cannot become anybody else', async () => {
    const { login } = a;
    const attempts = [
      ...[b.login, b.owner, b.database, 'postgres', 'souk_tenant'].flatMap((role) => [
        `SET ROLE ${role}`,
        `SET SESSION AUTHORIZATION ${role}`,
        `SET LOCAL ROLE ${role}`,
        `GRANT ${role} TO ${login}`,
        `ALTER ROLE ${role} PASSWORD 'known'`,
        `ALTER ROLE ${role} SET work_mem = '1MB'`,
        `CREATE SCHEMA mine AUTHORIZATION ${role}`,
        `DROP OWNED BY ${role}`,
        `REASSIGN OWNED BY ${role} TO ${login}`,
      ]),
      `GRANT ${a.owner} TO ${b.login}`,
      `SET ROLE ${a.database}`,
      'CREATE ROLE friend',
      'CREATE USER friend SUPERUSER',
      ...['SUPERUSER', 'CREATEDB', 'CREATEROLE', 'REPLICATION', 'BYPASSRLS', 'CONNECTION LIMIT 1000'].map(
        (attribute) => `ALTER ROLE ${login} ${attribute}`,
      ),
      'CREATE DATABASE more',
      `CREATE DATABASE copy TEMPLATE ${b.database}`,
      `DROP DATABASE ${b.database}`,
      `ALTER DATABASE ${b.database} OWNER TO ${login}`,
      `ALTER DATABASE ${a.database} CONNECTION LIMIT 1000`,
      `ALTER DATABASE ${a.database} SET work_mem = '1GB'`,
      `COMMENT ON DATABASE ${a.database} IS 'mine'`,
      `GRANT CONNECT ON DATABASE ${b.database} TO ${login}`,
      'GRANT pg_read_all_data TO CURRENT_USER',
      'GRANT pg_read_server_files TO CURRENT_USER',
    ];
    const harmless = ['DROP OWNED BY souk_tenant', `REASSIGN OWNED BY souk_tenant TO ${login}`];
    for (const sql of attempts)
      assert.equal(await refusal(sql), harmless.includes(sql) ? 'done' : FORBIDDEN, sql);
    // What the first took away, it took from its own database alone.
    await b.session.query('CREATE TABLE still (a int); DROP TABLE still');
    await rowsOf(
      at(adminUrl, { database: a.database }),
      'GRANT USAGE, CREATE ON SCHEMA public TO souk_tenant',
    );
    // This only warns that nothing was granted.
    await a.session.query(`GRANT CONNECT ON DATABASE ${a.database} TO PUBLIC`);
    await assertNoEntry(at(b.url, { database: a.database }));
    await assertNoEntry(at(a.url, { database: b.database }));
  });

  it('cannot reach out of its database, to another one or to the server', async () => {
    const attempts: [string, string][] = [
      [`SELECT * FROM ${b.database}.public.secrets`, '0A000'],
      ['CREATE EXTENSION dblink', FORBIDDEN],
      ['CREATE EXTENSION postgres_fdw', FORBIDDEN],
      ['CREATE EXTENSION file_fdw', FORBIDDEN],
      ['CREATE EXTENSION adminpack', '0A000'],
      ['CREATE EXTENSION pg_stat_statements', FORBIDDEN],
      ['CREATE EXTENSION pageinspect', FORBIDDEN],
      ['CREATE FOREIGN DATA WRAPPER w', FORBIDDEN],
      [`COPY (SELECT 1) TO '/tmp/out'`, FORBIDDEN],
      [`COPY (SELECT 1) TO PROGRAM 'cat'`, FORBIDDEN],
      [`CREATE TEMP TABLE lines (line text); COPY lines FROM '/etc/passwd'`, FORBIDDEN],
      [`CREATE TEMP TABLE lines (line text); COPY lines FROM PROGRAM 'id'`, FORBIDDEN],
      [`SELECT pg_read_file('postgresql.conf')`, FORBIDDEN],
      [`SELECT pg_read_binary_file('global/pg_control')`, FORBIDDEN],
      [`SELECT pg_ls_dir('base')`, FORBIDDEN],
      [`SELECT pg_stat_file('PG_VERSION')`, FORBIDDEN],
      ['SELECT pg_ls_logdir()', FORBIDDEN],
      [`SELECT lo_import('/etc/passwd')`, FORBIDDEN],
      [`SELECT lo_export(1, '/tmp/out')`, FORBIDDEN],
      [`CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/lib', 'f'`, FORBIDDEN],
      [`CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'int4in'`, FORBIDDEN],
      [`LOAD '/tmp/lib'`, FORBIDDEN],
      [`CREATE TABLESPACE t LOCATION '/tmp'`, FORBIDDEN],
      [`SELECT pg_database_size('${b.database}')`, FORBIDDEN],
      ['SELECT * FROM pg_authid', FORBIDDEN],
      ['SELECT * FROM pg_shadow', FORBIDDEN],
      ['SELECT * FROM pg_db_role_setting', FORBIDDEN],
      ['SELECT * FROM pg_hba_file_rules', FORBIDDEN],
      ['SELECT * FROM pg_file_settings', FORBIDDEN],
      ['SELECT * FROM pg_subscription', FORBIDDEN],
      ['SELECT * FROM pg_largeobject', FORBIDDEN],
      [`SELECT pg_logical_emit_message(true, 'a', 'b')`, FORBIDDEN],
      [`SELECT pg_create_physical_replication_slot('s')`, FORBIDDEN],
      [`SELECT pg_create_logical_replication_slot('s', 'test_decoding')`, FORBIDDEN],
      [`CREATE SUBSCRIPTION s CONNECTION 'host=localhost' PUBLICATION p`, FORBIDDEN],
      ['SELECT pg_switch_wal()', FORBIDDEN],
      ['SELECT pg_reload_conf()', FORBIDDEN],
      ['SELECT pg_stat_reset()', FORBIDDEN],
      ['CHECKPOINT', FORBIDDEN],
      ['ALTER SYSTEM SET work_mem = 1', FORBIDDEN],
      [`BEGIN; PREPARE TRANSACTION 'p'`, '55000'],
    ];
    for (const [sql, code] of attempts) {
      assert.equal(await refusal(sql), code, sql);
      await a.session.query('ROLLBACK');
    }
  });

  it('cannot see what others do, nor disturb them', async () => {
    await b.session.query(`SELECT 'a query of b'`);
    const [{ pid }] = (await b.session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows as [
      { pid: number },
    ];
    assert.equal(await refusal(`SELECT pg_cancel_backend(${pid})`), FORBIDDEN);
    assert.equal(await refusal(`SELECT pg_terminate_backend(${pid})`), FORBIDDEN);
    const seen = await a.session.query<{ query: string | null; usename: string; client_port: number | null }>(
      `SELECT usename, query, client_port FROM pg_stat_activity WHERE usename IS DISTINCT FROM CURRENT_USER`,
    );
    assert.ok(seen.rows.some(({ usename }) => usename === b.login));
    for (const { query, client_port } of seen.rows) {
      assert.ok(query === null || query === '' || query === '<insufficient privilege>', query ?? '');
      assert.equal(client_port, null);
    }
    for (const [view, column] of [
      ['pg_roles', 'rolconfig'],
      ['pg_user', 'useconfig'],
    ]) {
      const { rows } = await a.session.query<{ row: string }>(
        `SELECT v::text AS row FROM ${view} v WHERE ${column} IS NOT NULL`,
      );
      assert.ok(
        rows.every(({ row }) => !row.includes('a setting of b') && row.includes(a.login)),
        view,
      );
    }
    await b.session.query('LISTEN news');
    let heard = 0;
    b.session.on('notification', () => (heard += 1));
    await a.session.query(`NOTIFY news, 'from a'`);
    await a.session.query('SELECT pg_advisory_lock(7)');
    const { rows } = await b.session.query<{ got: boolean }>('SELECT pg_try_advisory_lock(7) AS got');
    assert.equal(rows[0]?.got, true);
    await b.session.query(`NOTIFY news, 'from b'`);
    if (heard === 0) await once(b.session, 'notification');
    assert.equal(heard, 1);
  });

  it('cannot lift its limits', async () => {
    const attempts = [
      'SET temp_file_limit = -1',
      `ALTER ROLE ${a.login} SET temp_file_limit = -1`,
      `ALTER ROLE ${a.login} IN DATABASE ${a.database} SET temp_file_limit = -1`,
      'SET session_replication_role = replica',
      'SET event_triggers = off',
      'SET allow_system_table_mods = on',
      'SET lo_compat_privileges = on',
      'SET log_min_messages = panic',
      'SET track_activities = off',
      'DROP EVENT TRIGGER souk_own',
      'ALTER EVENT TRIGGER souk_no_ddl DISABLE',
      'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION souk_no_ddl()',
      `CREATE OR REPLACE FUNCTION pg_catalog.souk_own() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`,
      'DROP FUNCTION pg_catalog.souk_no_writes() CASCADE',
      'ALTER FUNCTION pg_catalog.souk_no_ddl() RENAME TO nothing',
      'DROP EXTENSION plpgsql CASCADE',
      'ALTER EXTENSION plpgsql DROP EVENT TRIGGER souk_own',
      'CREATE TABLE pg_catalog.mine (a int)',
      'UPDATE pg_event_trigger SET evtenabled = $$D$$',
    ];
    for (const sql of attempts) assert.equal(await refusal(sql), FORBIDDEN, sql);
    await a.session.query('RESET ALL');
    await a.session.query(`ALTER ROLE ${a.login} RESET ALL`);
    for (const session of [a.session, await bench.connect(a.url)]) {
      const { rows } = await session.query<{ temp_file_limit: string }>('SHOW temp_file_limit');
      assert.equal(rows[0]?.temp_file_limit, '1GB');
    }
  });

  it('has so many connections and no more, and the provider still works', async () => {
    const { url, uuid } = await provider.tenant();
    const held = [];
    for (let i = 0; i < 20; i++) held.push(await bench.connect(url));
    await assert.rejects(rowsOf(url, 'SELECT 1'), { code: '53300' });
    assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('cannot keep another from being deleted by granting it something', async () => {
    const before = await listTenants(adminUrl);
    const victim = await provider.tenant();
    const { username } = new URL(victim.url);
    const mark = username.slice(1);
    // The schema is not the tenant's, so that part only warns.
    await a.session.query(`
      CREATE TABLE bait (a int);
      GRANT ALL ON bait TO u${mark}, o${mark}, d${mark};
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO u${mark};
      CREATE POLICY p ON bait TO o${mark} USING (true);
      GRANT ALL ON SCHEMA public TO d${mark}`);
    const [held] = await rowsOf<{ count: string }>(
      adminUrl,
      `SELECT count(*) FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
       WHERE r.rolname ~ $1 AND s.dbid = (SELECT oid FROM pg_database WHERE datname = $2)`,
      [`${mark}$`, a.database],
    );
    // The table for each of the three, the default, and the policy.
    assert.equal(held?.count, '5');
    assert.equal((await provider.deprovision(victim.uuid)).status, 204);
    assert.deepEqual(await listTenants(adminUrl), before);
  });

  it('owns what it makes through its owner role, however the session calls itself', async () => {
    const { session, login, owner } = a;
    await session.query(
      `
      CREATE TABLE own1 (a int PRIMARY KEY, b serial); CREATE VIEW own2 AS SELECT * FROM own1;
      SET ROLE ${owner}; CREATE TABLE own3 (a int); RESET ROLE; CREATE TABLE own4 (a int);
      SET ROLE NONE; CREATE SCHEMA own5 CREATE TABLE own6 (a int)`,
    );
    await session.query('DISCARD ALL');
    await session.query('CREATE TABLE own7 (a int)');
    await session.query(`ALTER TABLE own7 OWNER TO ${login}`);
    // These span several transactions.
    await session.query('CREATE INDEX CONCURRENTLY own7_a ON own7 (a)');
    await session.query('REINDEX TABLE CONCURRENTLY own7');
    await session.query('DROP INDEX CONCURRENTLY own7_a');
    await session.query('CREATE MATERIALIZED VIEW own10 AS SELECT 1 AS a');
    await session.query('CREATE UNIQUE INDEX ON own10 (a)');
    await session.query('REFRESH MATERIALIZED VIEW CONCURRENTLY own10');
    await session.query('EXPLAIN ANALYZE CREATE TABLE own8 AS SELECT 1');
    await session.query(`CREATE FUNCTION own9() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`);
    for (const extension of [
      'pg_trgm',
      'hstore',
      'citext',
      'pgcrypto',
      '"uuid-ossp"',
      'btree_gist',
      'unaccent',
    ])
      await session.query(`CREATE EXTENSION ${extension}`);
    const { rows } = await session.query(
      `SELECT relname FROM pg_class WHERE relowner = CURRENT_USER::regrole
       UNION ALL SELECT proname FROM pg_proc WHERE proowner = CURRENT_USER::regrole
       UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = CURRENT_USER::regrole`,
    );
    assert.deepEqual(rows, []);
    await session.query(
      'DROP EXTENSION hstore; DROP SCHEMA own5 CASCADE; DROP TABLE own1 CASCADE; DROP TABLE own8',
    );
  });

  it('has dumps that carry none of the hardening to another server', async () => {
    // What a dump says of the system's own objects is how their rights differ from the first day's.
    const differing = await rowsOf(
      a.url,
      `SELECT p.proname FROM pg_proc p LEFT JOIN pg_init_privs i
         ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass AND i.objsubid = 0
       WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proacl IS DISTINCT FROM i.initprivs
       UNION ALL SELECT c.relname FROM pg_class c LEFT JOIN pg_init_privs i
         ON i.objoid = c.oid AND i.classoid = 'pg_class'::regclass AND i.objsubid = 0
       WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relacl IS DISTINCT FROM i.initprivs
       UNION ALL SELECT evtname FROM pg_event_trigger e WHERE NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.objid = e.oid AND d.classid = 'pg_event_trigger'::regclass AND d.deptype = 'e')`,
    );
    assert.deepEqual(differing, []);
  });

  it('sees and ends its own sessions', async () => {
    const other = await bench.connect(a.url);
    const sleeping = assert.rejects(other.query('SELECT pg_sleep(600)'), { code: '57014' });
    for (let done = false; !done;) {
      const { rows } = await a.session.query<{ cancelled: boolean }>(
        `SELECT pg_cancel_backend(pid) AS cancelled FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`,
      );
      done = rows[0]?.cancelled === true;
    }
    await sleeping;
  });
});
