import assert from 'node:assert/strict';
import pg from 'pg';
import { afterAll, beforeAll, it } from 'vitest';
import { ok } from '../support/api.js';
import { OwnSouk } from '../support/own-souk.js';
import { until } from '../support/until.js';
import { summarize } from './measure.js';

const MEGABYTE = 1024 * 1024;
const QUOTA_MEGABYTES = 1024;
const CHUNK_MEGABYTES = 32;

let souk: OwnSouk;
beforeAll(async () => {
  souk = new OwnSouk();
  await souk.start();
});
afterAll(() => souk.remove());

it('the 1 GB of essential-0 hold at their real size, measured as often as they are by default', async () => {
  ok(await souk.api.post('/apps', { name: 'full' }));
  ok(await souk.api.post('/apps/full/addons', { plan: 'souk-postgresql:essential-0' }));
  const { DATABASE_URL: url = '' } = ok(await souk.api.get<Record<string, string>>('/apps/full/config-vars'));

  const client = await connect(url);
  await client.query('CREATE TABLE pile (heap text)');
  const began = performance.now();
  let written = 0;
  const refusal = await until(async () => {
    const ending = await pile(client, CHUNK_MEGABYTES).catch((error: Error) => error.message);
    if (ending !== null) return ending;
    written += CHUNK_MEGABYTES;
    throw new Error(`${written} MB are in, and no end`);
  }, 900_000);
  await client.end().catch(() => undefined);
  summarize(`writing until it was stopped, at ${written} MB`, [], performance.now() - began);
  // A page holds seven such rows and loses an eighth of itself, and the last chunk is there though it was rolled back.
  assert.ok(written > 0.8 * QUOTA_MEGABYTES, `stopped at ${written} MB already: ${refusal}`);

  // For a moment the door is closed to everybody.
  const later = await until(() => connect(url));
  await assert.rejects(pile(later, 1));
  const size = await later.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
  const over = Number(size.rows[0]?.bytes) / (QUOTA_MEGABYTES * MEGABYTE);
  process.stdout.write(`the database is at ${(over * 100).toFixed(1)} % of its plan\n`);
  assert.equal((await later.query('SELECT 1 AS one FROM pile LIMIT 1')).rows.length, 1);

  const freed = performance.now();
  await later.query('DELETE FROM pile');
  await later.end().catch(() => undefined);
  await until(async () => {
    const again = await connect(url);
    try {
      await pile(again, 1);
    } finally {
      await again.end();
    }
  }, 300_000);
  summarize('from the deletion of all rows to the next write', [], performance.now() - freed);
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function pile(client: pg.Client, megabytes: number): Promise<null> {
  await client.query(
    `INSERT INTO pile SELECT repeat(md5(n::text), 32) FROM generate_series(1, ${megabytes} * 1024) n`,
  );
  return null;
}
