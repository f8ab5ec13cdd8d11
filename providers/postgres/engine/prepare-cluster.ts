import type { Session } from '../../kit/index.js';
import { asAdmin, type Cluster } from './cluster.js';
import { HARDEN, TEMPLATE, TEMPLATE_VERSION, TENANT_GROUP } from './template.js';
import format from 'pg-format';

/** GRANT … WITH INHERIT, and the event triggers that also see REINDEX and the like. */
const VERSION_MIN = 160_000;
const LIMITS = { statementTimeoutMs: 120_000, lockTimeoutMs: 120_000 };
/** Two programs that start at once prepare one after the other; the number names this lock and nothing else. */
const PREPARE_LOCK = 7_311_901_478;

/** Makes a cluster ready for tenants. Safe to repeat, also after it was cut off anywhere. */
export async function prepareCluster(cluster: Cluster, providerDatabase: string): Promise<void> {
  await asAdmin(cluster, 'postgres', LIMITS, async (session) => {
    await session.query('SELECT pg_advisory_lock($1)', [PREPARE_LOCK]);
    await requireAble(session);
    if (!(await exists(session, 'pg_roles', 'rolname', TENANT_GROUP)))
      await session.query(format('CREATE ROLE %I NOLOGIN', TENANT_GROUP));
    if (!(await exists(session, 'pg_database', 'datname', providerDatabase)))
      await session.query(
        format('CREATE DATABASE %I TEMPLATE template0 CONNECTION LIMIT 0', providerDatabase),
      );
    // Everyone may connect to a new database by default, and make temporary tables in it.
    for (const database of ['postgres', 'template1', providerDatabase])
      await session.query(format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database));
    await prepareTemplate(cluster, session);
  });
}

async function requireAble(session: Session): Promise<void> {
  const [able] = await session.query<{ version: string; text: string; superuser: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_version') AS text,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
  );
  if (able === undefined || Number(able.version) < VERSION_MIN)
    throw new Error(`The cluster runs PostgreSQL ${able?.text}; shared databases need 16 or later.`);
  if (!able.superuser) throw new Error('SOUK_POSTGRES_CLUSTER_URL must name a superuser.');
}

async function exists(session: Session, table: string, column: string, name: string): Promise<boolean> {
  const rows = await session.query(format('SELECT 1 FROM %I WHERE %I = %L', table, column, name));
  return rows.length > 0;
}

/** The comment is set last: a template without it was cut off, or is of another version, and is made anew. */
async function prepareTemplate(cluster: Cluster, session: Session): Promise<void> {
  const [found] = await session.query<{ version: string | null }>(
    `SELECT shobj_description(oid, 'pg_database') AS version FROM pg_database WHERE datname = $1`,
    [TEMPLATE],
  );
  if (found?.version === TEMPLATE_VERSION) return;
  if (found !== undefined) {
    await session.query(format('ALTER DATABASE %I IS_TEMPLATE false', TEMPLATE));
    await session.query(format('DROP DATABASE %I WITH (FORCE)', TEMPLATE));
  }
  await session.query(format('CREATE DATABASE %I TEMPLATE template0 CONNECTION LIMIT 0', TEMPLATE));
  await session.query(format('REVOKE ALL ON DATABASE %I FROM PUBLIC', TEMPLATE));
  await asAdmin(cluster, TEMPLATE, LIMITS, (inside) => inside.query(HARDEN));
  await session.query(format('ALTER DATABASE %I IS_TEMPLATE true ALLOW_CONNECTIONS false', TEMPLATE));
  await session.query(format('COMMENT ON DATABASE %I IS %L', TEMPLATE, TEMPLATE_VERSION));
}
