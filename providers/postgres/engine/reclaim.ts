import {
  DatabaseUnavailable,
  describeError,
  Limiter,
  sqlState,
  type Database,
  type Logger,
  type Session,
} from '../../kit/index.js';
import { asAdmin, type Cluster } from './cluster.js';

/** A rewrite of a whole table may take long, but not for ever: its indexes can run a customer's functions. */
export const RECLAIM_MAX_MS = 600_000;
const LIMITS = { statementTimeoutMs: RECLAIM_MAX_MS, lockTimeoutMs: 3_000 };
/** What a small table may take, and what each byte adds: slow disks and many indexes included. */
const REWRITE_MIN_MS = 10_000;
const REWRITE_BYTES_PER_MS = 2_000;
/** A customer's function can catch the time-out; then its session is ended. */
const END_GRACE_MS = 2_000;
/** A database whose rewrite took too long rests so many times as long, twice as long each time, before it has another turn. */
const REST_FACTOR = 10;
const REST_MAX_MS = 3_600_000;
const QUERY_CANCELED = '57014';
const ADMIN_SHUTDOWN = '57P01';
const REWRITES_AT_ONCE = 2;
/** Smaller relations give nothing back worth the lock. Catalogues change with every rewrite, so theirs is higher. */
const TABLE_BYTES_MIN = 64 * 1024;
const CATALOGUE_BYTES_MIN = 4 * 1024 * 1024;

interface Relation {
  oid: string;
  name: string;
  bytes: string;
  /** Rows deleted or replaced so far, by the server's own count. */
  changes: string;
}

/** What is known of a relation's deleted rows since its count of changes was seen first. */
interface Attempt {
  changes: string;
  /** Transactions from here on began after that. */
  boundary: bigint;
  /** It was rewritten once, though rows may have been kept. */
  tried: boolean;
  /** It was rewritten, and nothing of it was kept. */
  complete: boolean;
}

interface Rest {
  untilMs: number;
  /** How often in a row a rewrite took too long. */
  times: number;
}

/**
 * Gives the space of deleted rows back to the file system: only then does the measured size of a database shrink.
 * Runs beside everything else, since a rewrite takes its time; each database has one run at a time.
 */
export class Reclaimer {
  private readonly running = new Set<string>();
  private readonly limiter = new Limiter(REWRITES_AT_ONCE);
  /** Per database and relation. */
  private readonly attempts = new Map<string, Map<string, Attempt>>();
  /** Databases that wait, so that who makes rewrites slow on purpose leaves the places to others. */
  private readonly resting = new Map<string, Rest>();

  constructor(
    private readonly cluster: Cluster,
    /** To end a rewrite that does not end by itself. */
    private readonly admin: Database,
    private readonly log: Logger,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Begins a run unless one is under way; `shrunk` is called after it, when the database became smaller. */
  begin(database: string, limitBytes: number, shrunk: () => void): void {
    if (this.running.has(database)) return;
    if (this.nowMs() < (this.resting.get(database)?.untilMs ?? 0)) return;
    this.running.add(database);
    this.limiter
      .run(() => this.run(database, limitBytes))
      .then((bytes) => {
        if (bytes > 0) shrunk();
      })
      .catch((error: unknown) =>
        this.log.warn({ database, error: describeError(error) }, 'reclaiming space failed'),
      )
      .finally(() => this.running.delete(database));
  }

  forget(database: string): void {
    this.attempts.delete(database);
  }

  private run(database: string, limitBytes: number): Promise<number> {
    return asAdmin(this.cluster, database, LIMITS, async (session) => {
      const attempts = this.attempts.get(database) ?? new Map<string, Attempt>();
      this.attempts.set(database, attempts);
      const [own] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const before = await sizeOf(session, database);
      for (const relation of await candidates(session)) {
        const horizon = await horizonOf(session);
        const attempt = attemptAt(attempts.get(relation.oid), relation, horizon);
        attempts.set(relation.oid, attempt);
        const clean = horizon.oldest >= attempt.boundary && !horizon.inUse;
        if (attempt.complete || (attempt.tried && !clean)) continue;
        if ((await sizeOf(session, database)) <= limitBytes) break;
        const outcome = await this.rewrite(session, own?.pid ?? 0, database, relation);
        if (outcome === 'too long') break;
        if (outcome === 'done') Object.assign(attempt, { tried: true, complete: clean });
      }
      return before - (await sizeOf(session, database));
    });
  }

  private async rewrite(
    session: Session,
    pid: number,
    database: string,
    { name, bytes }: Relation,
  ): Promise<'done' | 'refused' | 'too long'> {
    const limitMs = Math.min(RECLAIM_MAX_MS, REWRITE_MIN_MS + Number(bytes) / REWRITE_BYTES_PER_MS);
    const began = this.nowMs();
    const ending = setTimeout(() => this.end(database, pid), limitMs + END_GRACE_MS);
    try {
      await session.query(`SET statement_timeout = ${Math.ceil(limitMs)}`);
      await session.query(`VACUUM (FULL) ${name}`);
      this.resting.delete(database);
      return 'done';
    } catch (error) {
      const unavailable = error instanceof DatabaseUnavailable;
      if (sqlState(error) === null && !unavailable) throw error;
      this.log.warn({ database, error: describeError(error) }, 'a table could not be rewritten');
      // Else the relation was in use, or a customer's own index function would not have it.
      const code = sqlState(unavailable ? error.cause : error) ?? '';
      if (![QUERY_CANCELED, ADMIN_SHUTDOWN].includes(code)) return 'refused';
      this.rest(database, this.nowMs() - began);
      return 'too long';
    } finally {
      clearTimeout(ending);
    }
  }

  private rest(database: string, tookMs: number): void {
    const times = (this.resting.get(database)?.times ?? 0) + 1;
    const restMs = Math.min(REST_MAX_MS, tookMs * REST_FACTOR * 2 ** (times - 1));
    this.resting.set(database, { times, untilMs: this.nowMs() + restMs });
  }

  private end(database: string, pid: number): void {
    this.admin.query('SELECT pg_terminate_backend($1)', [pid]).then(
      () => this.log.warn({ database, pid }, 'a rewrite did not end, and its session was ended'),
      (error: unknown) =>
        this.log.error({ database, pid, error: describeError(error) }, 'a rewrite does not end'),
    );
  }
}

/**
 * Customers' tables, their large objects, and catalogues that grew; the largest first. A table of which no row was ever
 * deleted or replaced has nothing to give; one of which nothing at all is counted lost its counts in a crash.
 */
function candidates(session: Session): Promise<Relation[]> {
  return session.query<Relation>(
    `SELECT c.oid::text, c.oid::regclass::text AS name, pg_total_relation_size(c.oid)::text AS bytes,
       coalesce(s.n_tup_del + s.n_tup_upd, 0)::text AS changes
     FROM pg_class c LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
     WHERE c.relkind IN ('r', 'm') AND NOT c.relisshared AND c.relpersistence <> 't'
       AND (s.n_tup_del + s.n_tup_upd + s.n_dead_tup > 0 OR coalesce(s.n_tup_ins, 0) = 0)
       AND pg_total_relation_size(c.oid) > CASE
         WHEN c.relnamespace = 'pg_catalog'::regnamespace AND c.relname <> 'pg_largeobject' THEN $2::bigint ELSE $1::bigint END
     ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 1000`,
    [TABLE_BYTES_MIN, CATALOGUE_BYTES_MIN],
  );
}

async function sizeOf(session: Session, database: string): Promise<number> {
  const [size] = await session.query<{ bytes: string }>('SELECT pg_database_size($1::text) AS bytes', [
    database,
  ]);
  return Number(size?.bytes);
}

interface Horizon {
  /** Rows that a transaction from here on deleted are kept by a rewrite. */
  oldest: bigint;
  next: bigint;
  /** A snapshot in this very database is open. */
  inUse: boolean;
}

/** The rewrite's own snapshot goes back to the oldest transaction that writes anywhere in the cluster, other tenants' included. */
async function horizonOf(session: Session): Promise<Horizon> {
  const [row] = await session.query<{ oldest: string; next: string; inUse: boolean }>(
    `SELECT pg_snapshot_xmin(now.shot)::text AS oldest, pg_snapshot_xmax(now.shot)::text AS next,
       EXISTS (
         SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
       ) AS "inUse"
     FROM (SELECT pg_current_snapshot() AS shot) now`,
  );
  return {
    oldest: BigInt(row?.oldest ?? 0),
    next: BigInt(row?.next ?? 0),
    inUse: row?.inUse ?? true,
  };
}

function attemptAt(last: Attempt | undefined, { changes }: Relation, { next }: Horizon): Attempt {
  if (last?.changes === changes) return last;
  return { changes, boundary: next, tried: false, complete: false };
}
