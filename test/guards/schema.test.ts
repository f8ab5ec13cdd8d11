import assert from 'node:assert/strict';
import { afterAll, beforeAll, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../support/databases.js';
import { SECRET_COLUMNS } from '../../src/encryption/reencrypt.js';
import { createDataSource } from '../../src/kernel/db/data-source.js';
import { ENTITIES } from '../../src/roots/entities.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.drop());

interface Column {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
}

const columns = () =>
  database.query<Column & Record<string, unknown>>(
    `SELECT table_name AS table, column_name AS column, CASE data_type WHEN 'ARRAY' THEN 'array' ELSE data_type END AS type, is_nullable = 'YES' AS nullable
     FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`,
  );

/** Names of types as information_schema has them. */
const TYPES: Record<string, string> = { timestamptz: 'timestamp with time zone' };

it('entities have the columns, types and nullability that the migrations made', async () => {
  const source = await createDataSource(database.url, ENTITIES, 2).initialize();
  try {
    const made = await columns();
    for (const entity of source.entityMetadatas) {
      const inTable = made.filter(({ table }) => table === entity.tableName);
      assert.deepEqual(
        entity.columns
          .map((column) => ({
            table: entity.tableName,
            column: column.databaseName,
            type: column.isArray ? 'array' : (TYPES[String(column.type)] ?? String(column.type)),
            nullable: column.isNullable,
          }))
          .sort((a, b) => (a.column < b.column ? -1 : 1)),
        inTable.filter(({ column }) => entity.columns.some((one) => one.databaseName === column)),
      );
      const missing = inTable.filter(
        ({ column }) => !entity.columns.some((one) => one.databaseName === column),
      );
      assert.deepEqual(
        missing.filter(({ nullable }) => !nullable),
        [],
        `${entity.tableName}: a required column has no property`,
      );
    }
    assert.ok(source.entityMetadatas.length >= 12);
  } finally {
    await source.destroy();
  }
});

it('every column that holds ciphertext is one that a key rotation rewrites', async () => {
  const stored = (await columns())
    .filter(({ column }) => column.endsWith('ciphertext'))
    .map(({ table, column }) => `${table}.${column}`);
  assert.deepEqual(
    SECRET_COLUMNS.map(({ table, ciphertext }) => `${table}.${ciphertext}`).sort(),
    stored.sort(),
  );
});

it('every constraint has a name of its own choosing, and times have zones', async () => {
  const unnamed = await database.query(
    `SELECT conrelid::regclass::text AS table, conname FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f') AND conname ~ '_(check|fkey)\\d+$'`,
  );
  assert.deepEqual(unnamed, []);
  assert.deepEqual(
    (await columns()).filter(({ type }) => type === 'timestamp without time zone'),
    [],
  );
});

/** Tables without an owner: what they hold belongs to the installation. The list may only shrink. */
const OWNERLESS = [
  'accounts',
  'addon_services',
  'audit_events',
  'inventories',
  'migrations',
  'outbox',
  'pauses',
  'plans',
  'provider_circuits',
  'providers',
];
const OWNERS = ['app_id', 'account_id', 'addon_id', 'owner_id', 'operation_id'];

it('every table of tenants has a column that leads to its owner', async () => {
  const made = await columns();
  const tables = [...new Set(made.map(({ table }) => table))];
  const ownerless = tables.filter(
    (table) => !made.some((one) => one.table === table && OWNERS.includes(one.column)),
  );
  assert.deepEqual(
    ownerless.filter((table) => !OWNERLESS.includes(table)),
    [],
  );
});

it('amounts of money are whole cents with their currency beside them', async () => {
  const made = await columns();
  for (const cents of made.filter(({ column }) => column.endsWith('_cents'))) {
    assert.equal(cents.type, 'bigint', `${cents.table}.${cents.column}`);
    assert.ok(
      made.some(
        ({ table, column }) =>
          table === cents.table && column === cents.column.replace('_cents', '_currency'),
      ),
    );
  }
});
