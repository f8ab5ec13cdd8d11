import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { EngineUnavailable, removeEngine, startPostgres, startRedis } from '../../providers/engines/index.js';
import { createDataSource, migrate } from '../../src/kernel/db/data-source.js';

/** A database that is migrated once; each world clones it. */
export const TEMPLATE = 'souk_template';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser's URL of the PostgreSQL that the suites share. */
    postgresUrl: string;
    /** null where no Valkey or Redis can be had: the suites then run on BullMQ's PostgreSQL backend alone. */
    redisUrl: string | null;
  }
}

/** Starts the engines that all suites share, once, and stops them at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Suites start real processes from dist/; the command builds it where it is older than the sources.
  execFileSync(process.execPath, ['bin/souk.mjs', '--help'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const home = mkdtempSync(join(tmpdir(), 'souk-test-'));
  // The engines' own user must be able to pass through.
  chmodSync(home, 0o711);
  const postgres = await startPostgres({
    home,
    name: 'test',
    unsafeFast: true,
    settings: { max_connections: '400' },
  });
  const redis = await startRedis({ home, name: 'test' }).catch((error: unknown) => {
    if (!(error instanceof EngineUnavailable)) throw error;
    process.stderr.write(`The suites run without Redis: ${error.message}\n`);
    return null;
  });
  await makeTemplate(postgres.adminUrl);
  project.provide('postgresUrl', postgres.adminUrl);
  project.provide('redisUrl', redis?.url ?? null);
  return async () => {
    await redis?.stop();
    await postgres.stop();
    await removeEngine({ home, kind: 'redis', name: 'test' });
    await removeEngine({ home, kind: 'postgres', name: 'test' });
    rmSync(home, { recursive: true, force: true });
  };
}

async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  const source = await createDataSource(url.href, [], 2).initialize();
  await migrate(source);
  await source.destroy();
}
