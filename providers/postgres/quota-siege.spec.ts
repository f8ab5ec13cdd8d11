import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { codeOf, FILLED_TABLE, rowsOf, until } from './spec-support.js';
import { QuotaWorld } from './spec-quota.js';

const DISK_FULL = '53100';
const FORBIDDEN = '42501';

describe('the storage quota of a tenant that prepared itself', () => {
  let world: QuotaWorld;
  let uuid: string;
  let url: string;
  let login: string;
  let owner: string;
  let session: Client;

  beforeAll(async () => {
    world = await QuotaWorld.start();
    ({ uuid, url } = await world.provider.tenant());
    login = new URL(url).username;
    owner = login.replace('u', 'o');
    const early = await world.bench.connect(url);
    // A session that took the owner's role, with everything in place that might write on its behalf.
    await early.query(
      `
        ${FILLED_TABLE};
        CREATE TABLE log (body text);
        CREATE TABLE child (thing int REFERENCES things ON DELETE CASCADE, body text);
        CREATE TABLE nulled (thing int REFERENCES things ON DELETE SET NULL);
        CREATE TABLE parts (a int, body text) PARTITION BY RANGE (a);
        CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE guarded (a int);
        ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
        ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
        CREATE POLICY only_some ON guarded USING (a = 1) WITH CHECK (true);
        INSERT INTO guarded VALUES (1), (2);
        CREATE VIEW window_on AS SELECT * FROM log;
        CREATE VIEW ruled AS SELECT 1 AS a;
        CREATE RULE write_instead AS ON DELETE TO parts DO ALSO INSERT INTO log VALUES (repeat('x', 1000));
        CREATE MATERIALIZED VIEW copied AS SELECT g, md5(g::text) FROM generate_series(1, 10) g;
        CREATE FUNCTION as_owner(command text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE command; END';
        CREATE FUNCTION on_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
          $$ BEGIN INSERT INTO log VALUES (repeat('x', 1000)); RETURN OLD; END $$;
        CREATE FUNCTION on_cascade() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN EXECUTE 'GRANT ALL ON log TO PUBLIC'; RETURN OLD; END $$;
        CREATE TABLE trapped (a int);
        CREATE TRIGGER trap BEFORE DELETE ON trapped FOR EACH ROW EXECUTE FUNCTION on_delete();
        CREATE TABLE trapped_child (thing int REFERENCES things ON DELETE CASCADE);
        CREATE TRIGGER trap BEFORE DELETE ON trapped_child FOR EACH ROW EXECUTE FUNCTION on_cascade();
        CREATE SCHEMA other CREATE TABLE things (a int);
        GRANT ALL ON ALL TABLES IN SCHEMA public, other TO ${login} WITH GRANT OPTION;
        GRANT ALL ON ALL TABLES IN SCHEMA public, other TO PUBLIC;
        GRANT ALL ON SCHEMA other TO PUBLIC; GRANT ALL ON SCHEMA other TO ${login} WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
        INSERT INTO things (body) VALUES ('one'), ('two'), ('three'), ('four');
        INSERT INTO child SELECT id, body FROM things WHERE id = 2;
        INSERT INTO trapped_child VALUES (3);
        INSERT INTO nulled VALUES (4);
        INSERT INTO trapped VALUES (1);
        INSERT INTO parts VALUES (1, 'a');
        SELECT lo_from_bytea(4711, 'large');
        CREATE FUNCTION grow(a text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN PERFORM as_owner('INSERT INTO log SELECT repeat(md5(a::text), 100) FROM generate_series(1, 1000) a'); RETURN a; END $$;
        CREATE FUNCTION sneak(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
          DECLARE command text;
          BEGIN
            FOREACH command IN ARRAY ARRAY['INSERT INTO public.log VALUES (1)', 'CREATE TABLE public.sneaked (a int)',
              'EXPLAIN ANALYZE CREATE TABLE public.sneaked AS SELECT 1', 'GRANT ALL ON public.log TO ${login}'] LOOP
              BEGIN PERFORM public.as_owner(command); EXCEPTION WHEN OTHERS THEN NULL; END;
            END LOOP;
            RETURN a;
          END $$;
        CREATE SCHEMA "Odd ""one" CREATE TABLE "it's; DROP" (a int);
        CREATE TABLE indexed (a int);
        INSERT INTO indexed VALUES (1), (2);
        SET ROLE ${owner};
        PREPARE later AS INSERT INTO log VALUES (repeat('x', 1000));
        CREATE TEMP TABLE scratch (a text);
        CREATE INDEX ON indexed (sneak(a));
        BEGIN; DECLARE kept CURSOR WITH HOLD FOR SELECT 1; COMMIT`,
    );
    await world.overfill(uuid, early);
    await assert.rejects(early.query(`EXECUTE later`));
    session = await world.bench.connect(url);
  });

  afterAll(() => world.clear());

  it('holds against everything that a session can say', async () => {
    const insert = `INSERT INTO log VALUES ('x')`;
    const attempts = [
      insert,
      `SET default_transaction_read_only = off; ${insert}`,
      `SET transaction_read_only = off; ${insert}`,
      `SET ROLE ${owner}; ${insert}`,
      `SET SESSION AUTHORIZATION ${owner}; ${insert}`,
      `RESET ROLE; ${insert}`,
      `RESET ALL; ${insert}`,
      `RESET SESSION AUTHORIZATION; ${insert}`,
      `SET session_replication_role = replica; ${insert}`,
      `SET event_triggers = off; ${insert}`,
      `SET row_security = off; ${insert}`,
      `ALTER ROLE ${login} SET role = '${owner}'; ${insert}`,
      `GRANT ${owner} TO ${login}`,
      `GRANT INSERT ON log TO ${login}; ${insert}`,
      'GRANT ALL ON log TO PUBLIC',
      'GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC',
      'GRANT CREATE ON SCHEMA other TO PUBLIC',
      `ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${login}`,
      'DROP OWNED BY CURRENT_USER',
      'ALTER TABLE log DISABLE TRIGGER ALL',
      'ALTER TABLE log OWNER TO CURRENT_USER',
      'ALTER EVENT TRIGGER souk_no_ddl DISABLE',
      `UPDATE things SET body = repeat(body, 2)`,
      'UPDATE things SET body = NULL',
      `UPDATE parts SET body = 'x'`,
      'UPDATE parts SET a = a + 1',
      `MERGE INTO things USING (SELECT 1 AS id) s ON things.id = s.id WHEN MATCHED THEN UPDATE SET body = 'x'`,
      `INSERT INTO things VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'x'`,
      `COPY log FROM STDIN`,
      `MERGE INTO log USING (SELECT 1) s ON false WHEN NOT MATCHED THEN INSERT VALUES ('x')`,
      `INSERT INTO window_on VALUES ('x')`,
      `INSERT INTO parts VALUES (1, 'x')`,
      `INSERT INTO parts1 VALUES (1, 'x')`,
      'INSERT INTO other.things VALUES (1)',
      'CREATE TABLE t (a int)',
      'CREATE TABLE other.t (a int)',
      'CREATE TEMP TABLE t (a int)',
      'CREATE TABLE t AS SELECT 1',
      'SELECT 1 AS a INTO t',
      'SELECT 1 AS a INTO other.t',
      'SELECT 1 AS a INTO TEMP t',
      'EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE TABLE other.t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE MATERIALIZED VIEW t AS SELECT 1',
      'CREATE MATERIALIZED VIEW t AS SELECT 1',
      'REFRESH MATERIALIZED VIEW copied',
      'CREATE INDEX ON things (body)',
      'REINDEX TABLE things',
      'DROP TABLE log',
      'CREATE SCHEMA t',
      'CREATE EXTENSION hstore',
      `CREATE FUNCTION t() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `COMMENT ON TABLE log IS 'x'`,
      'SELECT lo_create(0)',
      'SELECT lo_creat(-1)',
      `SELECT lo_from_bytea(0, 'x')`,
      `SELECT lo_put(4711, 0, 'x')`,
      `SELECT lowrite(lo_open(4711, 131072), 'x')`,
      'SELECT lo_truncate(lo_open(4711, 131072), 100000000)',
      `BEGIN; PREPARE TRANSACTION 'later'`,
    ];
    await assertAllRefused(attempts);
  });

  it('holds against whatever runs with the rights of the owner', async () => {
    const asOwner = (command: string) => `SELECT as_owner($c$${command}$c$)`;
    const commands = [
      `INSERT INTO log VALUES ('x')`,
      `UPDATE things SET body = 'x'`,
      `UPDATE parts SET body = 'x'`,
      `INSERT INTO window_on VALUES ('x')`,
      `INSERT INTO parts VALUES (1, 'x')`,
      'CREATE TABLE t (a int)',
      'CREATE TEMP TABLE t (a int)',
      'CREATE TABLE other.t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE TABLE other.t AS SELECT 1',
      'EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1',
      'ALTER TABLE log DISABLE TRIGGER ALL',
      `ALTER TABLE log ADD more text DEFAULT repeat('x', 1000)`,
      `GRANT INSERT ON log TO ${login}`,
      `GRANT CREATE ON SCHEMA other TO ${owner}`,
      `GRANT ${owner} TO ${login}`,
      `GRANT CREATE ON SCHEMA public TO ${owner}`,
      'REFRESH MATERIALIZED VIEW copied',
      'REINDEX TABLE things',
      'CREATE INDEX ON things (body)',
      'DROP TRIGGER trap ON trapped',
      `ALTER FUNCTION as_owner(text) OWNER TO ${login}`,
      'SELECT lo_create(0)',
      `SELECT lo_put(4711, 0, 'x')`,
      `SELECT lo_from_bytea(0, 'x')`,
    ];
    await assertAllRefused(commands.map(asOwner));
    await assertAllRefused([
      'DELETE FROM trapped',
      'DELETE FROM parts',
      'DELETE FROM things WHERE id = 3',
      'DELETE FROM things WHERE id = 4',
      `SELECT grow('x')`,
    ]);
  });

  it('holds while the provider itself rewrites a table whose index runs a function of the tenant', async () => {
    const before = await contents();
    await rowsOf(await world.adminOf(url), 'VACUUM (FULL) indexed');
    await rowsOf(await world.adminOf(url), 'ANALYZE indexed');
    assert.deepEqual(await contents(), before);
  });

  async function assertAllRefused(attempts: string[]): Promise<void> {
    const [admin, before] = [await world.adminOf(url), await contents()];
    for (const sql of attempts) {
      const got = await codeOf(session, sql);
      assert.ok([FORBIDDEN, DISK_FULL, '55000'].includes(got), `${got}: ${sql}`);
      await session.query('ROLLBACK');
      await session.query('RESET ALL');
    }
    assert.deepEqual(await contents(), before);
    const [row] = await rowsOf<{ member: boolean }>(
      admin,
      'SELECT pg_has_role($1, $2, $$MEMBER$$) AS member',
      [login, owner],
    );
    assert.equal(row?.member, false);
  }

  /** Every table with its rows and rights, every schema's rights, every large object. */
  async function contents(): Promise<unknown[]> {
    return rowsOf(
      await world.adminOf(url),
      `SELECT c.oid::regclass::text AS name, c.relacl::text AS acl, CASE WHEN relkind = 'r' THEN
           (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %s', c.oid::regclass), true, true, '')))[1]::text
         END AS rows
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'other') OR n.nspname LIKE 'pg_temp%'
         UNION ALL SELECT nspname, nspacl::text, NULL FROM pg_namespace
         UNION ALL SELECT loid::text, pageno::text, encode(data, 'hex') FROM pg_largeobject
         ORDER BY 1, 2`,
    );
  }

  it('lets reads, deletes and truncates go on', async () => {
    for (const sql of [
      'SELECT count(*) FROM things',
      'SELECT * FROM copied',
      'SELECT last_value FROM things_id_seq',
      'SELECT * FROM other.things',
      'SELECT lo_get(4711)',
      'DELETE FROM things WHERE id = 1 RETURNING id',
      'DELETE FROM things WHERE id = 2',
      'DELETE FROM guarded WHERE a = 2 RETURNING a',
      'TRUNCATE other.things',
      'SELECT lo_unlink(4711)',
      'COPY log TO STDOUT',
    ])
      assert.equal(await codeOf(session, sql), 'done', sql);
    assert.deepEqual((await session.query('SELECT * FROM child')).rows, []);
    assert.deepEqual((await session.query('SELECT * FROM guarded')).rows, [{ a: 1 }]);
  });

  it('stays in force when the provider is killed and comes again', async () => {
    await world.killAndStart();

    // As a step leaves it that was cut off: what opens the door again has measured, and decided the same.
    const name = new URL(url).pathname.slice(1);
    await rowsOf(await world.adminOf(url), `ALTER DATABASE ${name} CONNECTION LIMIT 0`);
    session = await until('the door is open', () => world.bench.connect(url).catch(() => false as const));
    await assertAllRefused([`INSERT INTO log VALUES ('x')`, 'CREATE TABLE t (a int)']);
    assert.equal(world.heard(uuid).filter((one) => one === 'critical').length, 1);
    assert.equal(world.heard(uuid).at(-1), 'critical');
  });

  it('is lifted with everything as it was before', async () => {
    await session.query('DELETE FROM nulled; DELETE FROM log');
    assert.equal(await codeOf(session, 'TRUNCATE things CASCADE'), 'done');
    await world.lifted(uuid);
    const again = await world.bench.connect(url);
    for (const sql of [
      `INSERT INTO log VALUES ('x')`,
      `INSERT INTO parts VALUES (1, 'x')`,
      'CREATE TABLE other.more (a int)',
      'CREATE TEMP TABLE t (a int)',
      'CREATE SCHEMA third',
      `INSERT INTO "Odd ""one"."it's; DROP" VALUES (1)`,
      'CREATE TABLE "Odd ""one".t (a int)',
      `SELECT lo_from_bytea(0, 'x')`,
      'REFRESH MATERIALIZED VIEW copied',
      'DELETE FROM trapped',
      `SELECT as_owner('CREATE TABLE by_owner (a int)')`,
      `SET ROLE ${owner}`,
      'SELECT grow(body) FROM things',
    ])
      assert.equal(await codeOf(again, sql), 'done', sql);
    const left = await rowsOf(
      await world.adminOf(url),
      `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'souk%'
         UNION ALL SELECT evtname FROM pg_event_trigger WHERE evtname = 'souk_no_ddl' AND evtenabled <> 'D'
         UNION ALL SELECT relname FROM pg_class WHERE relacl::text LIKE '%' || current_database() || '=%'
         UNION ALL SELECT nspname FROM pg_namespace WHERE nspacl::text LIKE '%' || current_database() || '=%'
         UNION ALL SELECT rolname FROM pg_roles WHERE rolbypassrls AND NOT rolsuper`,
    );
    assert.deepEqual(left, []);
    const rights = await rowsOf<{ other: boolean }>(
      url,
      `SELECT has_schema_privilege('other', 'CREATE WITH GRANT OPTION') AS other`,
    );
    assert.equal(rights[0]?.other, true);
    // A dump or a policy sees its own owner again.
    assert.deepEqual((await again.query('SELECT * FROM guarded')).rows, [{ a: 1 }]);
  });
});
