import format from 'pg-format';
import { DatabaseUnavailable, describeError, sqlState, type Database, type Logger } from '../../kit/index.js';
import { asAdmin, type Cluster } from '../engine/cluster.js';
import { TENANT_DATABASE, TENANT_ROLE } from '../engine/names.js';

/** What a role may keep in settings, as stored: what compresses well takes no room. */
const SETTINGS_BYTES_MAX = 4_000;
/** More than so many are taken back together. */
const SETTINGS_MAX = 50;
/** Settings that are ours: without them a role has no limit. */
const OUR_SETTINGS = ['temp_file_limit', 'lo_compat_privileges'];
/** The catalogue of settings, with its dead rows. */
const CATALOGUE_BYTES_MAX = 16 * 1024 * 1024;
const CATALOGUE_LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 1_000 };
/** Share of the queue of notifications. */
const QUEUE_MAX = 0.25;
const END_MS = 2_000;
/** A session that just began is hardly what the queue waits for. */
const TRANSACTION_MIN_MS = 500;

/** So many holders of the queue in one round: the rest of the watchdog has its turn as well. */
const DRAINS_MAX = 10;

/** A reset waits no longer for a role that has a change of its own under way: others' turns come after it. */
const RESET_LOCK_MS = 300;
/** "Tuple concurrently updated", and a wait for the lock or for the whole statement that was too long. */
const HELD_UP = ['XX000', '55P03', '57014'];

interface Ended {
  pid: number;
  database: string;
  /** It was gone in time. */
  ended?: boolean;
}

interface SettingsRow {
  role: string;
  database: string | null;
  count: number;
  ours: string[];
  largest: string[];
}

export interface SharedSpaceOptions {
  cluster: Cluster;
  database: Database;
  log: Logger;
}

/** Bounds what tenants can store outside their databases, where no quota counts it. */
export class SharedSpace {
  constructor(private readonly options: SharedSpaceOptions) {}

  /** A role may keep settings for itself, for every database there is, in a catalogue of the whole cluster. */
  async cutSettings(): Promise<void> {
    const { database } = this.options;
    const rows = await database.query<SettingsRow>(
      `SELECT r.rolname AS role, d.datname AS database, cardinality(s.setconfig) AS count,
         ARRAY(SELECT one FROM unnest(s.setconfig) one WHERE split_part(one, '=', 1) = ANY ($3)) AS ours,
         ARRAY(SELECT split_part(one, '=', 1) FROM unnest(s.setconfig) one
           WHERE split_part(one, '=', 1) <> ALL ($3) AND octet_length(one) > 500 ORDER BY octet_length(one) DESC LIMIT 50) AS largest
       FROM (
         SELECT *, sum(pg_column_size(setconfig)) OVER (PARTITION BY setrole) AS total FROM pg_db_role_setting
       ) s
       JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
       WHERE r.rolname ~ $1 AND s.total > $2`,
      [TENANT_ROLE, SETTINGS_BYTES_MAX, OUR_SETTINGS],
    );
    for (const row of rows)
      await this.cutSettingsOf(row).catch((error: unknown) =>
        this.options.log.error(
          { role: row.role, error: describeError(error) },
          'the settings of a role could not be reset',
        ),
      );
  }

  private async cutSettingsOf(row: SettingsRow): Promise<void> {
    const { database, log } = this.options;
    try {
      await database.transaction(async (tx) => {
        await tx.query(`SET LOCAL lock_timeout = ${RESET_LOCK_MS}`);
        await tx.query(resetting(row));
      });
      log.info(
        { role: row.role, settings: row.count },
        'the settings of a role were too large and were reset',
      );
    } catch (error) {
      const code = sqlState(error instanceof DatabaseUnavailable ? error.cause : error) ?? '';
      if (!HELD_UP.includes(code)) throw error;
      // It sets them again and again, or keeps a change open; the next round comes to it with nobody in between.
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE substr(datname, 2) = $1 AND datname ~ $2 AND backend_type = 'client backend'
           AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper)`,
        [row.role.slice(1), TENANT_DATABASE],
      );
      log.info({ role: row.role }, 'the sessions of a role that went on storing settings were ended');
    }
  }

  /** Each change of a setting leaves a dead row; many and fast, they fill the disk before the server cleans up. */
  async shrinkSettings(): Promise<void> {
    const { cluster, database, log } = this.options;
    if ((await this.settingsBytes()) <= CATALOGUE_BYTES_MAX) return;
    const writers = await database.query<Ended>(
      `SELECT a.pid, a.datname AS database, pg_terminate_backend(a.pid, ${END_MS})
       FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid AND NOT r.rolsuper
       WHERE a.datname ~ $1 AND a.pid IN (
         SELECT pid FROM pg_locks WHERE relation = 'pg_db_role_setting'::regclass AND mode = 'RowExclusiveLock')`,
      [TENANT_DATABASE],
    );
    for (const { pid, database: name } of writers)
      log.info({ pid, database: name }, 'a session wrote too many settings and was ended');
    await asAdmin(cluster, 'postgres', CATALOGUE_LIMITS, (session) =>
      session.query('VACUUM (FULL) pg_db_role_setting'),
    );
    // Rows that an old snapshot still sees are kept: its session has to go.
    if ((await this.settingsBytes()) > CATALOGUE_BYTES_MAX)
      await this.endOldest('backend_xmin IS NOT NULL', 'a session kept dead settings alive and was ended');
  }

  /** A listener inside a transaction takes nothing from the queue, which all tenants share, until it ends. */
  async drainNotifications(): Promise<void> {
    const { database } = this.options;
    const tried: number[] = [];
    while (tried.length < DRAINS_MAX) {
      const [queue] = await database.query<{ usage: number }>(
        'SELECT pg_notification_queue_usage() AS usage',
      );
      if (queue === undefined || queue.usage <= QUEUE_MAX) return;
      const pid = await this.endOldest(
        'true',
        'a session held up the queue of notifications and was ended',
        tried,
      );
      if (pid === null) return;
      tried.push(pid);
    }
  }

  /** `temp_file_limit` counts for one session; all sessions of a database together may have as much as one of them. */
  async cutTemporaryFiles(): Promise<void> {
    const { database, log } = this.options;
    const ended = await database.query<Ended & { bytes: string }>(
      `WITH files AS (
         SELECT substring(entry FROM '^pgsql_tmp([0-9]+)')::int AS pid, CASE WHEN s.isdir THEN (
             SELECT coalesce(sum((pg_stat_file('base/pgsql_tmp/' || entry || '/' || inner_entry, true)).size), 0)
             FROM pg_ls_dir('base/pgsql_tmp/' || entry, true, false) inner_entry) ELSE s.size END AS bytes
         FROM pg_ls_dir('base/pgsql_tmp', true, false) entry, pg_stat_file('base/pgsql_tmp/' || entry, true) s
       ), sessions AS (
         -- The files of a parallel worker are its leader's.
         SELECT coalesce(a.leader_pid, a.pid) AS pid, a.datname, sum(f.bytes) AS bytes
         FROM files f JOIN pg_stat_activity a ON a.pid = f.pid
         WHERE a.datname ~ $1 AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = a.usesysid AND rolsuper)
         GROUP BY 1, a.datname
       ), ranked AS (
         SELECT *, sum(bytes) OVER (PARTITION BY datname ORDER BY bytes, pid) AS running FROM sessions
       )
       SELECT w.pid, w.datname AS database, w.bytes, pg_terminate_backend(w.pid)
       FROM ranked w JOIN pg_roles login ON login.rolname = 'u' || substr(w.datname, 2)
       CROSS JOIN LATERAL (
         SELECT pg_size_bytes(split_part(one, '=', 2)) AS bytes FROM unnest(login.rolconfig) one
         WHERE one LIKE 'temp_file_limit=%') allowed
       WHERE w.running > allowed.bytes`,
      [TENANT_DATABASE],
    );
    for (const { pid, database: name, bytes } of ended)
      log.info(
        { pid, database: name, bytes },
        'the sessions of a database had too many temporary files, and one was ended',
      );
  }

  private async settingsBytes(): Promise<number> {
    const [size] = await this.options.database.query<{ bytes: string }>(
      `SELECT pg_total_relation_size('pg_db_role_setting') AS bytes`,
    );
    return Number(size?.bytes);
  }

  /** Ends the session of a tenant whose transaction is open longest, but for those tried; null where there is none. */
  private async endOldest(condition: string, why: string, tried: number[] = []): Promise<number | null> {
    const { database, log } = this.options;
    const [one] = await database.query<Ended>(
      `SELECT a.pid, a.datname AS database, pg_terminate_backend(a.pid, ${END_MS}) AS ended
       FROM (
         SELECT * FROM pg_stat_activity WHERE datname ~ $1 AND backend_type = 'client backend' AND ${condition}
           AND clock_timestamp() - xact_start > $2 * interval '1 millisecond'
           AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper) AND pid <> ALL ($3::int[])
         ORDER BY xact_start LIMIT 1
       ) a`,
      [TENANT_DATABASE, TRANSACTION_MIN_MS, tried],
    );
    if (one === undefined) return null;
    if (one.ended === true) log.info({ pid: one.pid, database: one.database }, why);
    else log.warn({ pid: one.pid, database: one.database }, 'a session in the way of others does not end');
    return one.pid;
  }
}

/** As one text, thus one transaction: the role is never without our own settings. */
function resetting({ role, database, count, ours, largest }: SettingsRow): string {
  const where = format(
    database === null ? 'ALTER ROLE %I ' : 'ALTER ROLE %I IN DATABASE %I ',
    role,
    database,
  );
  // A few large ones go alone, so that somebody's honest settings stay.
  if (count <= SETTINGS_MAX && largest.length > 0)
    return largest.map((name) => `${where} ${format('RESET %I', name)}`).join(';');
  const again = ours.map((one) => {
    const [name = '', value = ''] = one.split('=');
    return `${where} ${format('SET %I = %L', name, value)}`;
  });
  return [`${where} RESET ALL`, ...again].join(';');
}
