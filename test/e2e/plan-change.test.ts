import assert from 'node:assert/strict';
import pg from 'pg';
import { afterAll, beforeAll, it } from 'vitest';
import { assertRefused, ok } from '../support/api.js';
import { OwnSouk } from '../support/own-souk.js';
import type { AddonBody } from '../support/resources.js';
import { until } from '../support/until.js';

/** Small enough to be filled in a moment, and larger than an empty database. */
const QUOTA_BYTES = 20_000_000;

let souk: OwnSouk;
beforeAll(async () => {
  souk = new OwnSouk();
  await souk.start({ SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: String(QUOTA_BYTES) });
});
afterAll(() => souk.remove());

it('the bundled Postgres provider goes up and down, and refuses a plan that the data does not fit', async () => {
  const { api } = souk;
  ok(await api.post('/apps', { name: 'grows' }));
  const { name } = ok(
    await api.post<AddonBody>('/apps/grows/addons', { plan: 'souk-postgresql:essential-0' }),
  );
  const change = (plan: string) => api.patch<AddonBody>(`/apps/grows/addons/${name}`, { plan });
  const vars = async () => ok(await api.get<{ DATABASE_URL: string }>('/apps/grows/config-vars'));
  assert.equal(ok(await change('essential-1')).plan.name, 'souk-postgresql:essential-1');
  const before = await vars();
  const client = new pg.Client({ connectionString: before.DATABASE_URL });
  await client.connect();
  try {
    await client.query(
      'CREATE TABLE heavy AS SELECT repeat(md5(n::text), 30) AS text FROM generate_series(1, 40000) n',
    );
    const refused = await change('essential-0');
    assertRefused(refused, 422, 'provider_refused');
    assert.match(
      (refused.body as unknown as { message: string }).message,
      /refused to change the plan: The database holds .* MB, and essential-0 takes only 19.1 MB/,
    );
    assert.equal(ok(await api.get<AddonBody>(`/addons/${name}`)).plan.name, 'souk-postgresql:essential-1');
    assert.deepEqual(await vars(), before);
    await client.query('INSERT INTO heavy VALUES ($1)', ['still writable']);
    await client.query('TRUNCATE heavy');
    await until(async () =>
      assert.equal(ok(await change('essential-0')).plan.name, 'souk-postgresql:essential-0'),
    );
    assert.deepEqual((await client.query('SELECT text FROM heavy')).rows, []);
  } finally {
    await client.end();
  }
  assert.deepEqual(await vars(), before);
});
