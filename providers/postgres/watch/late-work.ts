import { asAdmin, type Cluster } from '../engine/cluster.js';
import { TENANT_DATABASE } from '../engine/names.js';
import type { Database, Logger } from '../../kit/index.js';
import { RECLAIM_MAX_MS } from '../engine/reclaim.js';

/** What does not end this long after it was cancelled is refusing to: its session is ended. */
const CANCEL_GRACE_MS = 2_000;
/** The server's own ANALYZE looks at 30,000 rows of a table at most. */
const ANALYZE_MAX_MS = 30_000;
/** A table whose ANALYZE was cut so often is left alone by the server's own. */
const CUTS_MAX = 2;
/** A session of ours in a tenant's database ends by itself much sooner, unless a tenant's function catches its time-out. */
const OWN_MAX_MS = RECLAIM_MAX_MS + 60_000;
const LIMITS = { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 };

interface Late {
  pid: number;
  state: string;
  query_start: string;
  database: string;
}

interface LateAnalyze {
  pid: number;
  database: string;
  since: string;
  table: string | null;
}

export interface LateWorkOptions {
  cluster: Cluster;
  database: Database;
  statementMaxMs: number;
  transactionMaxMs: number;
  log: Logger;
  nowMs?: () => number;
}

/**
 * Cuts short what takes too long, as superuser: a tenant can switch its own `statement_timeout` off, a function can
 * catch the cancellation of a statement, and the server's own workers run the functions of a tenant's indexes.
 */
export class LateWork {
  /** Statements that were cancelled, by session and start, with the time of that. */
  private cancelled = new Map<string, number>();
  /** How often the ANALYZE of a table was cut, by database and table. */
  private readonly cuts = new Map<string, number>();
  private readonly nowMs: () => number;

  constructor(private readonly options: LateWorkOptions) {
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  async cutStatements(): Promise<void> {
    const { database, statementMaxMs } = this.options;
    const late = await database.query<Late>(
      `SELECT pid, state, query_start::text, datname AS database FROM pg_stat_activity
       WHERE datname ~ $1 AND backend_type = 'client backend'
         AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper)
         AND state <> 'idle'
         AND clock_timestamp() - (CASE WHEN state LIKE 'idle in%' THEN state_change ELSE query_start END)
           > $2 * interval '1 millisecond'`,
      [TENANT_DATABASE, statementMaxMs],
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

  /** One statement after the other keeps every dead row of the cluster's shared tables, and locks on them, for ever. */
  async cutTransactions(): Promise<void> {
    const { database, transactionMaxMs, log } = this.options;
    const ended = await database.query<{ pid: number; database: string }>(
      `SELECT a.pid, a.datname AS database, pg_terminate_backend(a.pid)
       FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid AND NOT r.rolsuper
       WHERE a.datname ~ $1 AND a.backend_type = 'client backend'
         AND clock_timestamp() - a.xact_start > $2 * interval '1 millisecond'`,
      [TENANT_DATABASE, transactionMaxMs],
    );
    for (const one of ended)
      log.info(
        { pid: one.pid, database: one.database },
        'a transaction was open too long, and its session was ended',
      );
  }

  /**
   * The server's own ANALYZE, and its summaries of BRIN indexes, run functions that a tenant called immutable. The
   * worker is ended, not cancelled: it would go on with the tenant's next table.
   */
  async cutWorkers(): Promise<void> {
    const { database, statementMaxMs, log } = this.options;
    const late = await database.query<LateAnalyze>(
      `SELECT a.pid, a.datname AS database, a.xact_start::text AS since, p.relid::text AS table
       FROM pg_stat_activity a LEFT JOIN pg_stat_progress_analyze p ON p.pid = a.pid
       WHERE a.datname ~ $1 AND a.backend_type = 'autovacuum worker'
         AND (p.pid IS NOT NULL OR a.query ~ '^autovacuum: (ANALYZE|BRIN)')
         AND clock_timestamp() - a.xact_start > $2 * interval '1 millisecond'`,
      [TENANT_DATABASE, Math.min(ANALYZE_MAX_MS, statementMaxMs)],
    );
    for (const { pid, database: name, since, table } of late) {
      await database.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND xact_start = $2::timestamptz',
        [pid, since],
      );
      log.info({ database: name, pid, table }, 'an automatic ANALYZE took too long and was ended');
      if (table !== null) await this.countCut(name, table);
    }
  }

  /** A killed program's statement goes on at the server, where a tenant's function may have caught its time-out. */
  async cutOwn(): Promise<void> {
    const { database, log } = this.options;
    const ended = await database.query<{ pid: number; database: string }>(
      `SELECT pid, datname AS database, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname ~ $1 AND application_name = 'souk-postgres' AND state = 'active'
         AND EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper)
         AND clock_timestamp() - query_start > $2 * interval '1 millisecond'`,
      [TENANT_DATABASE, OWN_MAX_MS],
    );
    for (const one of ended)
      log.warn({ pid: one.pid, database: one.database }, 'a session of ours was stuck and was ended');
  }

  /** VACUUM goes on, since it runs nothing of a tenant's; the tenant can ANALYZE by itself. */
  private async countCut(name: string, table: string): Promise<void> {
    const { cluster, log } = this.options;
    const key = `${name} ${table}`;
    const cuts = (this.cuts.get(key) ?? 0) + 1;
    this.cuts.set(key, cuts);
    if (cuts < CUTS_MAX) return;
    this.cuts.delete(key);
    await asAdmin(cluster, name, LIMITS, async (session) => {
      const [found] = await session.query<{ name: string }>(
        'SELECT oid::regclass::text AS name FROM pg_class WHERE oid = $1',
        [table],
      );
      if (found !== undefined)
        await session.query(`ALTER TABLE ${found.name} SET (autovacuum_analyze_threshold = 2147483647)`);
    });
    log.warn({ database: name, table }, 'a table is not analyzed automatically any more');
  }

  private async cancel({ pid, query_start, database }: Late): Promise<void> {
    // The start is compared again: the session may have gone on to its next statement meanwhile.
    await this.options.database.query(
      'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query_start = $2::timestamptz',
      [pid, query_start],
    );
    this.options.log.info({ database, pid }, 'a statement took too long and was cancelled');
  }

  private async end({ pid, query_start, database, state }: Late): Promise<void> {
    await this.options.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query_start = $2::timestamptz',
      [pid, query_start],
    );
    this.options.log.info({ database, pid, state }, 'a session took too long and was ended');
  }
}
