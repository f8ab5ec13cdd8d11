import format from 'pg-format';
import type { Database, Logger } from '../kit/index.js';
import { TENANT_DATABASE, TENANT_ROLE } from './engine/names.js';

/** Locks that the sessions of one database may hold together; the table of locks is shared by all tenants. */
const LOCKS_MAX = 10_000;
/** Compressed: what compresses well takes no room. */
const SETTING_BYTES_MAX = 2_000;
/** What does not end this long after it was cancelled is refusing to: its session is ended. */
const CANCEL_GRACE_MS = 2_000;

interface Late {
  pid: number;
  state: string;
  query_start: string;
  database: string;
}

/**
 * Cuts short what would use up the cluster, as superuser: a tenant can switch its own `statement_timeout` off, and a
 * function can catch the cancellation of a statement.
 */
export class Watchdog {
  /** Statements that were cancelled, by session and start, with the time of that. */
  private cancelled = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly statementMaxMs: number,
    private readonly log: Logger,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** How often a round should come for its limit to mean something. */
  get everyMs(): number {
    return Math.min(1_000, Math.max(50, Math.floor(this.statementMaxMs / 4)));
  }

  async round(): Promise<void> {
    await this.cutLateStatements();
    await this.cutLockHogs();
    await this.cutLongSettings();
  }

  private async cutLateStatements(): Promise<void> {
    const late = await this.database.query<Late>(
      `SELECT pid, state, query_start::text, datname AS database FROM pg_stat_activity
       WHERE datname ~ $1 AND backend_type = 'client backend'
         AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper)
         AND state <> 'idle'
         AND clock_timestamp() - (CASE WHEN state LIKE 'idle in%' THEN state_change ELSE query_start END)
           > $2 * interval '1 millisecond'`,
      [TENANT_DATABASE, this.statementMaxMs],
    );
    const still = new Map<string, number>();
    for (const one of late) {
      const key = `${one.pid} ${one.query_start}`;
      const since = this.cancelled.get(key);
      const idle = one.state.startsWith('idle in');
      if (idle || (since !== undefined && this.nowMs() - since > CANCEL_GRACE_MS)) await this.end(one);
      else if (since === undefined) await this.cancel(one);
      still.set(key, since ?? this.nowMs());
    }
    this.cancelled = still;
  }

  private async cancel({ pid, query_start, database }: Late): Promise<void> {
    // The start is compared again: the session may have gone on to its next statement meanwhile.
    await this.database.query(
      'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query_start = $2::timestamptz',
      [pid, query_start],
    );
    this.log.info({ database, pid }, 'a statement took too long and was cancelled');
  }

  private async end({ pid, query_start, database, state }: Late): Promise<void> {
    await this.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query_start = $2::timestamptz',
      [pid, query_start],
    );
    this.log.info({ database, pid, state }, 'a session took too long and was ended');
  }

  /** Where a database holds too many locks, the session that holds most of them is ended. */
  private async cutLockHogs(): Promise<void> {
    const hogs = await this.database.query<{ pid: number; database: string; locks: string }>(
      `SELECT DISTINCT ON (database) pid, database, locks FROM (
         SELECT l.pid, d.datname AS database, count(*) AS locks, sum(count(*)) OVER (PARTITION BY d.datname) AS total
         FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         JOIN pg_stat_activity a ON a.pid = l.pid AND a.backend_type = 'client backend'
         WHERE d.datname ~ $1 AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = a.usesysid AND rolsuper)
         GROUP BY l.pid, d.datname
       ) AS holders WHERE total > $2 ORDER BY database, locks DESC`,
      [TENANT_DATABASE, LOCKS_MAX],
    );
    for (const { pid, database, locks } of hogs) {
      await this.database.query('SELECT pg_terminate_backend($1)', [pid]);
      this.log.info({ database, pid, locks }, 'a session held too many locks and was ended');
    }
  }

  /** A role may keep settings for itself, in a catalogue of the whole cluster that no quota counts. */
  private async cutLongSettings(): Promise<void> {
    const long = await this.database.query<{ role: string; database: string | null; setting: string }>(
      `SELECT r.rolname AS role, d.datname AS database, split_part(one, '=', 1) AS setting
       FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
       LEFT JOIN pg_database d ON d.oid = s.setdatabase
       CROSS JOIN LATERAL unnest(CASE WHEN pg_column_size(s.setconfig) > $2 THEN s.setconfig END) AS one
       WHERE r.rolname ~ $1 AND octet_length(one) > $2`,
      [TENANT_ROLE, SETTING_BYTES_MAX],
    );
    for (const { role, database, setting } of long) {
      const where = database === null ? '' : format('IN DATABASE %I ', database);
      await this.database.query(format(`ALTER ROLE %I ${where}RESET %I`, role, setting));
      this.log.info({ role, setting }, 'a setting was too long and was reset');
    }
  }
}
