import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, type PostgresCluster } from '../../engines/index.js';
import { withConnection } from '../../kit/index.js';

/**
 * Who may even try to log in, and where: a tenant only to the database whose role it is a member of (`samerole`).
 * The rights inside the cluster say the same; this line holds when one of those is set wrong.
 */
const RULES = `# Written by Souk's Postgres provider at each start.
# TYPE  DATABASE     USER      ADDRESS       METHOD
host    all          postgres  127.0.0.1/32  scram-sha-256
host    all          postgres  ::1/128       scram-sha-256
host    replication  postgres  127.0.0.1/32  scram-sha-256
host    replication  postgres  ::1/128       scram-sha-256
host    samerole     all       127.0.0.1/32  scram-sha-256
host    samerole     all       ::1/128       scram-sha-256
`;

/** Puts the rules in force on our own cluster. */
export async function writeAccessRules(cluster: PostgresCluster): Promise<void> {
  const file = join(cluster.dataFolder, 'pg_hba.conf');
  if ((await readFile(file, 'utf8')) !== RULES) {
    // The file stays the engine's user's.
    await replaceFile(file, RULES, await stat(file));
  }
  const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000 };
  await withConnection(cluster.adminUrl, 'souk-postgres', limits, async (session) => {
    const faults = await session.query<{ error: string }>(
      'SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL',
    );
    if (faults.length > 0)
      throw new Error(`pg_hba.conf is not valid: ${faults.map(({ error }) => error).join(', ')}`);
    await session.query('SELECT pg_reload_conf()');
  });
}
