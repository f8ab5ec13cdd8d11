import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { providerClusterUrl } from './inventory.js';
import { Bench, codeOf, fill, FILLED_TABLE, fillUntilEnded, rowsOf, until } from './spec-support.js';
import { QuotaWorld } from './spec-quota.js';

const DAY_MS = 86_400_000;

describe('the storage quota', () => {
  let world: QuotaWorld;
  beforeAll(async () => {
    world = await QuotaWorld.start();
  });
  afterAll(() => world.clear());

  it('warns at 90 %, stops at 100 %, ends the open session, and deleting rows lifts it', async () => {
    const { uuid, url } = await world.provider.tenant();
    const open = await world.bench.connect(url);
    await open.query(`${FILLED_TABLE}; ${fill(5)}`);
    await until('it is warned', async () => world.heard(uuid).length > 0);
    assert.deepEqual(world.heard(uuid), ['warning']);
    // What is there may still be used, and the session lives on.
    await open.query(`INSERT INTO things (body) VALUES ('small')`);
    await world.overfill(uuid, open);
    assert.deepEqual(world.heard(uuid), ['warning', 'critical']);
    await assert.rejects(open.query(`INSERT INTO things (body) VALUES ('small')`));

    const session = await world.bench.connect(url);
    for (const sql of [
      `INSERT INTO things (body) VALUES ('small')`,
      `UPDATE things SET body = 'small' WHERE id = 1`,
      'CREATE TABLE more (a int)',
    ])
      assert.match(await codeOf(session, sql), /^(42501|53100)$/, sql);
    assert.equal(await codeOf(session, 'SELECT count(*), sum(length(body)) FROM things'), 'done');
    const before = await world.sizeOf(url);
    assert.equal(await codeOf(session, 'DELETE FROM things WHERE id % 2 = 0'), 'done');
    await session.end();
    await world.lifted(uuid);
    assert.ok((await world.sizeOf(url)) < before);
    const after = await world.bench.connect(url);
    assert.equal(
      await codeOf(after, `INSERT INTO things (body) VALUES ('small'); CREATE TABLE more (a int)`),
      'done',
    );
    assert.equal(await codeOf(after, 'ALTER TABLE things ADD extra int; UPDATE more SET a = 1'), 'done');
    assert.equal((await world.provider.deprovision(uuid)).status, 204);
  });

  it('is lifted by a larger plan, and refuses a smaller one that the data does not fit', async () => {
    const { uuid, url } = await world.provider.tenant();
    await rowsOf(url, FILLED_TABLE);
    await world.overfill(uuid, await world.bench.connect(url));
    assert.equal((await world.provider.changePlan(uuid, 'essential-1')).status, 200);
    await world.lifted(uuid);
    await rowsOf(url, `INSERT INTO things (body) VALUES ('small')`);
    const refused = await world.provider.changePlan(uuid, 'essential-0');
    assert.equal(refused.status, 422);
    assert.match(
      refused.body.message ?? '',
      /^The database holds .* MB, and essential-0 takes only 14 MB\. Delete/,
    );
    await rowsOf(url, `INSERT INTO things (body) VALUES ('still on the larger plan')`);
    await rowsOf(url, 'TRUNCATE things');
    assert.equal((await world.provider.changePlan(uuid, 'essential-0')).status, 200);
    await world.provider.deprovision(uuid);
  });
});

describe('between two rounds of measuring everything', () => {
  let world: QuotaWorld;
  beforeAll(async () => {
    world = await QuotaWorld.start(DAY_MS);
  });
  afterAll(() => world.clear());

  it('what is in use is measured all the same: a writer is stopped, and deleting rows lifts it', async () => {
    const { uuid, url } = await world.provider.tenant();
    await rowsOf(url, FILLED_TABLE);
    await world.overfill(uuid, await world.bench.connect(url));
    await rowsOf(url, 'DELETE FROM things');
    await world.lifted(uuid);
  });

  it('a database that cannot be settled keeps no other from being measured', async () => {
    const [stuck, other] = [await world.provider.tenant(), await world.provider.tenant()];
    for (const { url } of [stuck, other]) await rowsOf(url, FILLED_TABLE);
    // As a request does that takes its time with this resource.
    const holder = await world.bench.connect(await world.adminOf('postgres://localhost/provider'));
    await holder.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [stuck.uuid]);
    await fillUntilEnded(await world.bench.connect(stuck.url));
    const began = performance.now();
    await world.overfill(other.uuid, await world.bench.connect(other.url));
    assert.ok(performance.now() - began < 5_000);
    assert.deepEqual(
      world.heard(stuck.uuid).filter((one) => one === 'critical'),
      [],
    );
    // Whatever becomes of it, nobody writes on meanwhile.
    await assert.rejects(rowsOf(stuck.url, 'SELECT 1'), { code: '53300' });
    await holder.end();
    await world.stopped(stuck.uuid);
  });

  it('also who comes in for a moment only, again and again', async () => {
    const { uuid, url } = await world.provider.tenant();
    await rowsOf(url, FILLED_TABLE);
    const coming = (async () => {
      for (;;) await rowsOf(url, fill(1));
    })();
    await assert.rejects(coming);
    await world.stopped(uuid);
  });
});

describe('the fastest writers there are', () => {
  const MB = 1024 * 1024;
  const [quota, over] = [300 * MB, 300 * MB];
  const bench = new Bench();
  afterAll(() => bench.clear());

  it('get past their limit by what a fraction of a second writes', async () => {
    const home = await bench.home();
    const provider = await bench.start({
      SOUK_HOME: home,
      SOUK_QUOTA_INTERVAL_MS: String(DAY_MS),
      SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: String(quota),
    });
    const { url } = await provider.tenant();
    const writers = await Promise.all(Array.from({ length: 6 }, () => bench.connect(url)));
    await Promise.all(
      writers.map((writer, index) =>
        assert.rejects(
          writer.query(`CREATE UNLOGGED TABLE pile${index} (a text);
            ALTER TABLE pile${index} ALTER a SET STORAGE EXTERNAL; COMMIT;
            INSERT INTO pile${index} SELECT repeat('x', 8000000) FROM generate_series(1, 1000)`),
        ),
      ),
    );
    const admin = new URL(await providerClusterUrl(home));
    admin.pathname = new URL(url).pathname;
    const [size] = await rowsOf<{ bytes: string }>(
      admin.href,
      'SELECT pg_database_size(current_database()) AS bytes',
    );
    const bytes = Number(size?.bytes);
    process.stdout.write(`${Math.round(bytes / MB)} MB in a database of ${quota / MB} MB\n`);
    assert.ok(bytes > quota && bytes < quota + over, `${bytes}`);
  });
});
