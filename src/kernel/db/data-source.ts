import { fileURLToPath } from 'node:url';
import { DataSource, type EntitySchema } from 'typeorm';
import { sqlMigrations } from './migrations.js';

// eslint's Function type ban is about calls; TypeORM takes entity classes as plain constructors.
export type EntityClass = (new () => object) | EntitySchema;

/** The folder of the broker's migrations, from source and from dist alike. */
export function migrationsFolder(): string {
  const here = fileURLToPath(import.meta.url);
  const up = here.includes('/dist/src/') ? '../../../../migrations' : '../../../migrations';
  return fileURLToPath(new URL(up, import.meta.url));
}

/** A connection pool on the broker's database. Never synchronises: the schema comes from migrations alone. */
export function createDataSource(url: string, entities: EntityClass[], poolMax = 20): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities,
    migrations: sqlMigrations(migrationsFolder()),
    migrationsTransactionMode: 'each',
    synchronize: false,
    // A dead server is noticed, and a pool that is full says so instead of waiting for ever.
    extra: {
      max: poolMax,
      connectionTimeoutMillis: 10_000,
      application_name: 'souk',
      options: '-c TimeZone=UTC',
    },
  });
}

/** Brings the schema up to date. Safe to run by several processes at once: one of them works, the others wait. */
export async function migrate(source: DataSource): Promise<string[]> {
  const lock = source.createQueryRunner();
  try {
    await lock.query("SELECT pg_advisory_lock(hashtext('souk.migrations'))");
    const done = await source.runMigrations();
    return done.map((migration) => migration.name);
  } finally {
    await lock.query("SELECT pg_advisory_unlock(hashtext('souk.migrations'))");
    await lock.release();
  }
}
