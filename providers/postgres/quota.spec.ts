import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { codeOf, fill, FILLED_TABLE, rowsOf, until } from './spec-support.js';
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
