import {
  DatabaseUnavailable,
  describeError,
  Limiter,
  sqlState,
  type Database,
  type Logger,
  type Queryable,
  type Session,
} from '../../kit/index.js';
import { asAdmin, type Cluster } from './cluster.js';

/** A rewrite of a whole table may take long, but not for ever: its indexes can run a customer's functions. */
export const RECLAIM_MAX_MS = 600_000;
const LIMITS = { statementTimeoutMs: RECLAIM_MAX_MS, lockTimeoutMs: 3_000 };
/** What a small table may take, and what each byte adds: slow disks and many indexes included. */
const REWRITE_MIN_MS = 10_000;
const REWRITE_BYTES_PER_MS = 2_000;
/** A customer's function can catch the time-out; then its session is ended, and again until it is gone. */
const END_GRACE_MS = 2_000;
/**
 * Time that gave nothing, whatever it ended with: a customer's function can raise any error, and as late as it likes.
 * A database that wastes more in one turn rests so many times as long, twice as long each time.
 */
const WASTE_MAX_MS = 5_000;
/** What any rewrite may take on a busy machine, however small the table. */
const SLOW_MS = 1_000;
const REST_FACTOR = 10;
const REST_MAX_MS = 3_600_000;
const LOCK_NOT_AVAILABLE = '55P03';
/** Of the table, or after it of its indexes. */
const LOCKED_MAX_MS = LIMITS.lockTimeoutMs + SLOW_MS;
const REWRITES_AT_ONCE = 2;
/** After this a database goes to the back of the line, however many tables it has left. */
const TURN_MS = 60_000;
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
  /** How large it was when the server refused to rewrite it: the same again gives the same answer. */
  refusedAt: string | null;
}

interface Rewritten {
  outcome: 'done' | 'refused' | 'in use' | 'not now';
  /** What a failure took, and a success beyond what its size explains. */
  wastedMs: number;
}

interface Rest {
  untilMs: number;
  /** How many turns in a row were wasted. */
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
      const began = this.nowMs();
      let wastedMs = 0;
      let resting = false;
      for (const relation of await candidates(session)) {
        if (wastedMs > WASTE_MAX_MS || this.nowMs() - began > TURN_MS) break;
        const horizon = await horizonOf(session);
        const attempt = attemptAt(attempts.get(relation.oid), relation, horizon);
        attempts.set(relation.oid, attempt);
        const clean = horizon.oldest >= attempt.boundary && !horizon.inUse;
        if (attempt.complete || (attempt.tried && !clean)) continue;
        if (attempt.refusedAt === relation.bytes) continue;
        if ((await sizeOf(session, database)) <= limitBytes) break;
        const rewritten = await this.rewrite(session, own?.pid ?? 0, database, relation);
        wastedMs += rewritten.wastedMs;
        resting = rewritten.outcome !== 'in use';
        if (rewritten.outcome === 'done') Object.assign(attempt, { tried: true, complete: clean });
        if (rewritten.outcome === 'refused') attempt.refusedAt = relation.bytes;
      }
      // Locks end the turn and no more: an honest transaction may hold some for a while.
      if (wastedMs > WASTE_MAX_MS && resting) this.rest(database, wastedMs);
      else this.resting.delete(database);
      // The session may have been ended.
      return before - (await sizeOf(this.admin, database));
    });
  }

  private async rewrite(
    session: Session,
    pid: number,
    database: string,
    { name, bytes }: Relation,
  ): Promise<Rewritten> {
    const usualMs = Number(bytes) / REWRITE_BYTES_PER_MS;
    const limitMs = Math.min(RECLAIM_MAX_MS, REWRITE_MIN_MS + usualMs);
    const began = this.nowMs();
    let ending = setTimeout(() => end(), limitMs + END_GRACE_MS);
    const end = (): void => {
      this.end(database, pid);
      ending = setTimeout(end, END_GRACE_MS);
    };
    try {
      await session.query(`SET statement_timeout = ${Math.ceil(limitMs)}`);
      await session.query(`VACUUM (FULL) ${name}`);
      return { outcome: 'done', wastedMs: Math.max(0, this.nowMs() - began - usualMs - SLOW_MS) };
    } catch (error) {
      const unavailable = error instanceof DatabaseUnavailable;
      if (sqlState(error) === null && !unavailable) throw error;
      this.log.warn({ database, error: describeError(error) }, 'a table could not be rewritten');
      const wastedMs = this.nowMs() - began;
      // A customer's own index function would not have it.
      if (!unavailable) return { outcome: 'refused', wastedMs };
      // That function can raise this code as well, but only later is it worth its while.
      const locked = sqlState(error.cause) === LOCK_NOT_AVAILABLE && wastedMs < LOCKED_MAX_MS;
      return { outcome: locked ? 'in use' : 'not now', wastedMs };
    } finally {
      clearTimeout(ending);
    }
  }

  private rest(database: string, wastedMs: number): void {
    const times = (this.resting.get(database)?.times ?? 0) + 1;
    const restMs = Math.min(REST_MAX_MS, wastedMs * REST_FACTOR * 2 ** (times - 1));
    this.resting.set(database, { times, untilMs: this.nowMs() + restMs });
    this.log.warn({ database, wastedMs, restMs }, 'rewrites of a database gave nothing, and have a rest');
  }

  private end(database: string, pid: number): void {
    this.admin
      .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND datname = $2', [
        pid,
        database,
      ])
      .then(
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

async function sizeOf(session: Queryable, database: string): Promise<number> {
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
  return { changes, boundary: next, tried: false, complete: false, refusedAt: null };
}
