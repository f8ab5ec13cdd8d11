import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { providerClusterUrl } from './inventory.js';
import { Bench, codeOf, type ProviderProcess, rowsOf, until } from './spec-support.js';

/** From an attack to the moment when everybody can work again. */
const RECOVERY_MS = 5_000;

describe('a hostile tenant of the shared cluster', () => {
  const bench = new Bench();
  let home: string;
  let provider: ProviderProcess;
  let enemy: string;
  let other: string;

  beforeAll(async () => {
    home = await bench.home();
    provider = await bench.start({ SOUK_HOME: home });
    [enemy, other] = [(await provider.tenant()).url, (await provider.tenant()).url];
  });
  afterAll(async () => {
    const { lines } = provider;
    await bench.clear();
    assert.deepEqual(
      lines.filter((line) => line.includes('a part of the watchdog')),
      [],
    );
  });

  const said = (words: string): boolean => provider.lines.some((line) => line.includes(words));

  /** Its own error is of no interest: the session is ended in the middle of it. */
  async function attack(url: string, sql: string): Promise<void> {
    const session = await bench.connect(url);
    await session.query(sql).catch(() => undefined);
  }

  it('takes locks by the ten thousands, and nobody else is refused one', async () => {
    const attacks = [0, 1].map(() =>
      attack(enemy, 'SELECT count(pg_advisory_lock(i)) FROM generate_series(1, 300000) i'),
    );
    let over = false;
    const all = Promise.all(attacks).finally(() => (over = true));
    const seen: string[] = [];
    do {
      const session = await bench.connect(other);
      seen.push(await codeOf(session, 'CREATE TABLE t (a int PRIMARY KEY); DROP TABLE t'));
      await session.end();
      const { uuid } = await provider.tenant();
      assert.equal((await provider.deprovision(uuid)).status, 204);
    } while (!over);
    await all;
    assert.deepEqual([...new Set(seen)], ['done']);
    assert.ok(said('held too many locks'));
  });

  it('fills the queue of notifications, and others notify again in a moment', async () => {
    const listener = await bench.connect(enemy);
    await listener.query('LISTEN flood');
    await listener.query('BEGIN; SELECT 1');
    const flood = `SELECT count(pg_notify('flood', i || repeat('x', 7900))) FROM generate_series(1, 7000) i`;
    await attack(enemy, flood);
    await attack(enemy, flood);
    await until('others can notify', async () => (await notified(other)) === 'done', RECOVERY_MS);
    const [queue] = await rowsOf<{ usage: number }>(
      await providerClusterUrl(home),
      'SELECT pg_notification_queue_usage() AS usage',
    );
    assert.ok(said('held up the queue'));
    assert.ok((queue?.usage ?? 1) < 0.3, String(queue?.usage));
  });

  async function notified(url: string): Promise<string> {
    const session = await bench.connect(url);
    try {
      return await codeOf(session, `NOTIFY news, 'hello'`);
    } finally {
      await session.end();
    }
  }

  it('keeps data in settings for many databases, and keeps no more than a little', async () => {
    const mine = new URL(enemy);
    const [login, owner] = [mine.username, mine.username.replace('u', 'o')];
    const admin = await providerClusterUrl(home);
    const databases = await rowsOf<{ name: string }>(admin, 'SELECT datname AS name FROM pg_database');
    // Each for itself is so small that nobody would mind.
    for (const { name } of databases)
      for (const role of [login, owner])
        await rowsOf(
          enemy,
          `SET ROLE ${role}; DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE ${name} SET search_path = %L',
             (SELECT string_agg(md5(random()::text), ',') FROM generate_series(1, 55))); END $$`,
        );
    const sums = `SELECT sum(pg_column_size(setconfig))::int AS bytes FROM pg_db_role_setting
       WHERE setrole IN ('${login}'::regrole, '${owner}'::regrole) GROUP BY setrole`;
    await until('they are gone', async () => {
      const kept = await rowsOf<{ bytes: number }>(admin, sums);
      return kept.every(({ bytes }) => bytes <= 4_000);
    });
    const [role] = await rowsOf<{ rolconfig: string[] }>(
      enemy,
      'SELECT rolconfig FROM pg_roles WHERE rolname = session_user',
    );
    assert.deepEqual(role?.rolconfig, ['temp_file_limit=1048576kB']);
  });

  it('changes settings again and again, and their catalogue does not grow without bound', async () => {
    const admin = await providerClusterUrl(home);
    const bytes = async () =>
      Number(
        (
          await rowsOf<{ bytes: string }>(
            admin,
            `SELECT pg_total_relation_size('pg_db_role_setting') AS bytes`,
          )
        )[0]?.bytes,
      );
    const session = await bench.connect(enemy);
    await assert.rejects(
      session.query(`DO $$ DECLARE text text :=
          (SELECT string_agg(md5(random()::text), ',') FROM generate_series(1, 30000)); BEGIN
        LOOP
          BEGIN
            EXECUTE format('ALTER ROLE CURRENT_USER SET search_path = %L', text);
          EXCEPTION WHEN internal_error THEN NULL;
          END;
          COMMIT;
        END LOOP; END $$`),
      { code: '57P01' },
    );
    await until('it is small again', async () => (await bytes()) < 16 * 1024 * 1024, 15_000);
    assert.ok(said('wrote too many settings') || said('went on storing settings'));
  });

  it('fills the disk with temporary files of many sessions, as far as one session could', async () => {
    await rowsOf(
      await providerClusterUrl(home),
      `ALTER ROLE ${new URL(enemy).username} SET temp_file_limit = '100MB'`,
    );
    const sort = `SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0; DECLARE c CURSOR WITH HOLD FOR
      SELECT md5(i::text) FROM generate_series(1, 700000) i ORDER BY 1; FETCH 1 FROM c`;
    const held = await Promise.all(Array.from({ length: 5 }, () => bench.connect(enemy)));
    // Each keeps some 30 MB, in a cursor that outlives its transaction.
    for (const session of held) await session.query(sort).catch(() => undefined);
    const sum = async () =>
      Number(
        (
          await rowsOf<{ bytes: string | null }>(
            await providerClusterUrl(home),
            'SELECT sum(size) AS bytes FROM pg_ls_tmpdir()',
          )
        )[0]?.bytes,
      );
    await until('one was ended', async () => said('too many temporary files'));
    await until('they are fewer', async () => (await sum()) <= 100 * 1024 * 1024);
    const left = await Promise.all(
      held.map((session) =>
        session.query('SELECT 1').then(
          () => 1,
          () => 0,
        ),
      ),
    );
    assert.ok(left.includes(1), 'one session alone is within the limit');
  });

  it("fills the disk with temporary files of parallel workers, which count as their session's", async () => {
    await rowsOf(
      await providerClusterUrl(home),
      `ALTER ROLE ${new URL(enemy).username} SET temp_file_limit = '45MB'`,
    );
    const session = await bench.connect(enemy);
    await session.query(
      `CREATE TABLE wide AS SELECT md5(i::text) || md5((-i)::text) AS a FROM generate_series(1, 1000000) i;
       ANALYZE wide; SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 4; SET parallel_setup_cost = 0;
       SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off`,
    );
    // Each worker keeps less than one session may, and all of them more, for as long as nobody takes the rows.
    await assert.rejects(
      session.query('SELECT count(pg_sleep(1)) FROM (SELECT a FROM wide ORDER BY a OFFSET 0) sorted'),
      { code: '57P01' },
    );
    await rowsOf(enemy, 'DROP TABLE wide');
  });

  it("keeps a change of its settings open, and holds up nobody else's reset", async () => {
    const third = (await provider.tenant()).url;
    const large = `DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER SET search_path = %L',
      (SELECT string_agg(md5(g::text), ',') FROM generate_series(1, 2000) g)); END $$`;
    const holding = await bench.connect(enemy);
    await holding.query(`BEGIN; ${large}; COMMIT; BEGIN; ALTER ROLE CURRENT_USER SET work_mem = '5MB'`);
    const began = performance.now();
    await rowsOf(third, large);
    for (const url of [third, enemy]) {
      const sql = `SELECT sum(pg_column_size(setconfig))::int AS bytes FROM pg_db_role_setting
        WHERE setrole = '${new URL(url).username}'::regrole`;
      await until('it is reset', async () => {
        const [kept] = await rowsOf<{ bytes: number | null }>(await providerClusterUrl(home), sql);
        return (kept?.bytes ?? 0) <= 4_000;
      });
    }
    assert.ok(performance.now() - began < RECOVERY_MS);
    assert.ok(said('went on storing settings'));
  });

  it('holds on to the roles of another, and that one can be deleted all the same', async () => {
    const victim = await provider.tenant();
    const { username } = new URL(victim.url);
    const mark = username.slice(1);
    const holding = await bench.connect(enemy);
    await holding.query(
      `CREATE TABLE bait (a int); BEGIN; GRANT SELECT ON bait TO u${mark}, o${mark}, d${mark}`,
    );
    const own = await bench.connect(victim.url);
    await own.query(
      `BEGIN; ALTER ROLE CURRENT_USER SET work_mem = '5MB'; ALTER ROLE CURRENT_USER PASSWORD 'x'`,
    );
    const began = performance.now();
    assert.equal((await provider.deprovision(victim.uuid)).status, 204);
    assert.ok(performance.now() - began < RECOVERY_MS);
    assert.ok(said('held up a delete'));
  });
});

describe('a cluster with few connections', () => {
  const bench = new Bench();
  let provider: ProviderProcess;
  const usable = 20;

  beforeAll(async () => {
    provider = await bench.start({
      SOUK_HOME: await bench.home(),
      SOUK_POSTGRES_MAX_CONNECTIONS: '70',
      SOUK_POSTGRES_OVERCOMMIT: '5',
    });
  });
  afterAll(() => bench.clear());

  it('sells so many and no more, also to many at once, and says so to its operator', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => provider.provision()));
    const made = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 422);
    assert.deepEqual([made.length, refused.length], [(usable * 5) / 20, 3]);
    assert.match(refused[0]?.body.message ?? '', /full/);
    assert.equal(refused[0]?.body.id, 'cluster_full');
    const health = await fetch(`http://127.0.0.1:${provider.port}/health`);
    assert.deepEqual(await health.json(), { status: 'ok', connections: { sold: 100, sellable: 100 } });
    assert.ok(provider.lines.some((line) => line.includes('every connection of the cluster is sold')));
    // What is refused is as unknown as before, and a deleted one makes room.
    assert.equal((await provider.deprovision(made[0]?.body.id ?? '')).status, 204);
    const again = await provider.tenant();
    for (const uuid of [...made.slice(1).map(({ body }) => body.id ?? ''), again.uuid])
      assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('has a place for whoever comes, however many sessions others hold', async () => {
    const [one, two, late] = [await provider.tenant(), await provider.tenant(), await provider.tenant()];
    const few = await bench.connect(late.url);
    const open = (url: string) => bench.connect(url).catch(() => null);
    for (let i = 0; i < 19; i += 1) await Promise.all([open(one.url), open(two.url)]);
    await until('a place is free', async () => (await open(late.url)) !== null, RECOVERY_MS);
    await few.query('SELECT 1');
    for (const { uuid } of [await provider.tenant(), one, two, late])
      assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('recovers when its table of locks is full, though to look takes locks', async () => {
    const [greedy, other] = [await provider.tenant(), await provider.tenant()];
    // Nobody watches while it is filled: what follows begins with a full table.
    provider.child.kill('SIGSTOP');
    try {
      const session = await bench.connect(greedy.url);
      const all = 'SELECT count(pg_advisory_lock(i)) FROM generate_series(1, 1000000) i';
      assert.equal(await codeOf(session, all), '53200');
      await assert.rejects(rowsOf(other.url, 'SELECT 1'), { code: '53200' });
    } finally {
      provider.child.kill('SIGCONT');
    }
    const began = performance.now();
    await until(
      'others come in and a database can be made',
      async () => {
        const inside = await rowsOf(other.url, 'SELECT 1').catch(() => null);
        const answer = await provider.provision();
        return inside !== null && answer.status === 200;
      },
      RECOVERY_MS,
    );
    process.stdout.write(`out of a full table of locks in ${Math.round(performance.now() - began)} ms\n`);
  });
});
