import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPortFree, type PostgresCluster } from '../../engines/index.js';
import { withConnection } from '../../kit/index.js';
import { TENANT_DATABASE } from './names.js';

const LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 };

/**
 * Every URL that was given out names the cluster's port. Starts the cluster, and keeps it on that port as soon as there
 * is a tenant: where another program took it, the start fails, and the next one after the port is free succeeds.
 */
export async function keepPort(
  folder: string,
  start: () => Promise<PostgresCluster>,
): Promise<PostgresCluster> {
  const kept = await readKept(folder);
  let running = await start();
  if (kept !== null && running.port !== kept && (await hasTenants(running))) {
    // It was moved, now or by a start that was cut off: back it goes.
    await running.stop();
    await writeState(folder, kept);
    if (await isPortFree(kept)) running = await start();
    if (running.port !== kept) {
      await running.stop();
      await writeState(folder, kept);
      throw new Error(
        `Port ${kept} is taken by another program, and the URLs of all databases of the shared cluster name it. ` +
          'End that program, and start again.',
      );
    }
  }
  if (running.port !== kept) await replace(keptFile(folder), `${running.port}\n`);
  return running;
}

function keptFile(folder: string): string {
  return join(folder, 'port');
}

/** Null before the first start. A cluster from before this file was kept is taken as it is found. */
async function readKept(folder: string): Promise<number | null> {
  const text = await readFile(keptFile(folder), 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : ((await readState(folder))?.port ?? null);
}

async function hasTenants(running: PostgresCluster): Promise<boolean> {
  return withConnection(running.adminUrl, 'souk-postgres', LIMITS, async (session) => {
    const found = await session.query('SELECT 1 FROM pg_database WHERE datname ~ $1 LIMIT 1', [
      TENANT_DATABASE,
    ]);
    return found.length > 0;
  });
}

function stateFile(folder: string): string {
  return join(folder, 'engines', 'postgres', 'shared', 'state.json');
}

async function readState(folder: string): Promise<{ port: number } | null> {
  const text = await readFile(stateFile(folder), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as { port: number });
}

/** The engine's own note of its port, which its next start begins with. */
async function writeState(folder: string, port: number): Promise<void> {
  const state = await readState(folder);
  await replace(stateFile(folder), `${JSON.stringify({ ...state, port }, null, 2)}\n`);
}

async function replace(file: string, text: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  await rename(draft, file);
}
