import { setTimeout as wait } from 'node:timers/promises';
import { Repeating, withConnection, type Logger, type Session } from '../../kit/index.js';
import type { Cluster } from '../engine/cluster.js';
import { TENANT_DATABASE } from '../engine/names.js';
import { chooseLockHogs, type LockHolder } from './lock-limits.js';

/** One session takes 250,000 locks a second. */
const EVERY_MS = 100;
const AGAIN_MS = 500;
const LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };
/** Who holds fewer does not count, even with all connections of a database. */
const LOCKS_MIN = 100;

/**
 * Keeps tenants from filling the table of locks, with one session of its own that also works while the table is full:
 * a query takes locks on what it reads, so this one holds them already, in a transaction that never ends. Between its
 * statements that transaction holds no snapshot, so it keeps no dead row of anybody alive.
 */
export class LockGuard {
  private readonly rounds: Repeating;
  private stopped = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly database: string,
    private readonly log: Logger,
  ) {
    this.rounds = new Repeating('lock guard', AGAIN_MS, () => this.guard(), log);
  }

  start(): void {
    this.rounds.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.rounds.stop();
  }

  /** Ends only when it is told to stop, or with its connection. */
  private async guard(): Promise<void> {
    await withConnection(
      this.cluster.adminUrl(this.database),
      'souk-postgres-locks',
      LIMITS,
      async (session) => {
        const places = await prepare(session);
        while (!this.stopped) {
          await this.look(session, places);
          await wait(EVERY_MS);
        }
      },
    );
  }

  private async look(session: Session, places: number): Promise<void> {
    await session.query('SELECT pg_stat_clear_snapshot()');
    const holders = await session.query<LockHolder>(
      `SELECT a.pid, d.datname AS database, held.locks
       FROM (SELECT pid, count(*)::int AS locks FROM pg_lock_status() GROUP BY pid) held
       JOIN pg_stat_get_activity(NULL) a ON a.pid = held.pid
       JOIN pg_database d ON d.oid = a.datid JOIN pg_authid r ON r.oid = a.usesysid
       WHERE held.locks > $2 AND d.datname ~ $1 AND NOT r.rolsuper`,
      [TENANT_DATABASE, LOCKS_MIN],
    );
    for (const { pid, database, locks } of chooseLockHogs(holders, places)) {
      await session.query('SELECT pg_terminate_backend($1)', [pid]);
      this.log.info({ database, pid, locks }, 'a session held too many locks and was ended');
    }
  }
}

/** Takes the locks that every later look needs, those of the system's own look-ups included, and counts the table's places. */
async function prepare(session: Session): Promise<number> {
  await session.query('SET idle_in_transaction_session_timeout = 0');
  await session.query('BEGIN');
  await session.query(
    `SELECT (SELECT count(*) FROM pg_authid WHERE oid = 10), (SELECT count(*) FROM pg_database WHERE oid = 1),
       (SELECT count(*) FROM pg_auth_members WHERE roleid = 10)`,
  );
  const [table] = await session.query<{ places: number }>(
    `SELECT current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS places`,
  );
  return table?.places ?? 0;
}
