import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isPortFree,
  postgresPort,
  replaceFile,
  setPostgresPort,
  type PostgresCluster,
  type PostgresOptions,
} from '../../engines/index.js';
import { withConnection } from '../../kit/index.js';
import { TENANT_DATABASE } from './names.js';

const LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 };

/**
 * Every URL that was given out names the cluster's port. Starts the cluster, and keeps it on that port as soon as there
 * is a tenant: where another program took it, the start fails, and the next one after the port is free succeeds.
 */
export async function keepPort(
  cluster: PostgresOptions,
  start: () => Promise<PostgresCluster>,
): Promise<PostgresCluster> {
  const kept = await readKept(cluster);
  let running = await start();
  if (kept !== null && running.port !== kept && (await hasTenants(running))) {
    // It was moved, now or by a start that was cut off: back it goes.
    await running.stop();
    await setPostgresPort(cluster, kept);
    if (await isPortFree(kept)) running = await start();
    if (running.port !== kept) {
      await running.stop();
      await setPostgresPort(cluster, kept);
      throw new Error(
        `Port ${kept} is taken by another program, and the URLs of all databases of the shared cluster name it. ` +
          'End that program, and start again.',
      );
    }
  }
  if (running.port !== kept) await replaceFile(keptFile(cluster), `${running.port}\n`);
  return running;
}

function keptFile({ home }: PostgresOptions): string {
  return join(home, 'port');
}

/** Null before the first start. A cluster from before this file was kept is taken as it is found. */
async function readKept(cluster: PostgresOptions): Promise<number | null> {
  const file = keptFile(cluster);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return postgresPort(cluster);
  if (!/^\d+\n$/.test(text)) throw new Error(`${file} is damaged. It holds the port that all URLs name.`);
  return Number(text);
}

async function hasTenants(running: PostgresCluster): Promise<boolean> {
  return withConnection(running.adminUrl, 'souk-postgres', LIMITS, async (session) => {
    const found = await session.query('SELECT 1 FROM pg_database WHERE datname ~ $1 LIMIT 1', [
      TENANT_DATABASE,
    ]);
    return found.length > 0;
  });
}
