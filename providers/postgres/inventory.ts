import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConnection } from '../kit/index.js';
import { providerFolder } from './engine/cluster.js';
import { TENANT_DATABASE, TENANT_ROLE } from './engine/names.js';

/** What tenants have in a cluster, whatever any table says. */
export interface TenantInventory {
  /** One for each resource. */
  databases: string[];
  /** Three for each resource: its login, its owner, and the one that lets in to its database. */
  roles: string[];
}

const LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 };

/** Lists the tenants' databases and roles of a cluster, to be compared with the add-ons that should be there. */
export async function listTenants(adminUrl: string): Promise<TenantInventory> {
  return withConnection(adminUrl, 'souk-postgres-inventory', LIMITS, async (session) => {
    const databases = await session.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datname ~ $1 ORDER BY 1',
      [TENANT_DATABASE],
    );
    const roles = await session.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_roles WHERE rolname ~ $1 ORDER BY 1',
      [TENANT_ROLE],
    );
    return { databases: databases.map(({ name }) => name), roles: roles.map(({ name }) => name) };
  });
}

/** The admin URL of the cluster that the provider runs under this SOUK_HOME, from the cluster's own state file. */
export async function providerClusterUrl(home: string): Promise<string> {
  const file = join(providerFolder(home), 'engines', 'postgres', 'shared', 'state.json');
  const { port, password } = JSON.parse(await readFile(file, 'utf8')) as { port: number; password: string };
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}
