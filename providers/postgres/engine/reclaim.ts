import {
  DatabaseUnavailable,
  describeError,
  Limiter,
  sqlState,
  type Logger,
  type Session,
} from '../../kit/index.js';
import { asAdmin, type Cluster } from './cluster.js';

/** A rewrite of a whole table may take long, but not for ever: its indexes can run a customer's functions. */
const LIMITS = { statementTimeoutMs: 600_000, lockTimeoutMs: 3_000 };
const REWRITES_AT_ONCE = 2;
/** Smaller relations give nothing back worth the lock. Catalogues change with every rewrite, so theirs is higher. */
const TABLE_BYTES_MIN = 64 * 1024;
const CATALOGUE_BYTES_MIN = 4 * 1024 * 1024;

interface Relation {
  oid: string;
  name: string;
  /** Rows deleted or replaced so far, by the server's own count. */
  changes: string;
}

/**
 * Gives the space of deleted rows back to the file system: only then does the measured size of a database shrink.
 * Runs beside everything else, since a rewrite takes its time; each database has one run at a time.
 */
export class Reclaimer {
  private readonly running = new Set<string>();
  private readonly limiter = new Limiter(REWRITES_AT_ONCE);
  /** Per database and relation: the count of changes at its last rewrite. */
  private readonly done = new Map<string, Map<string, string>>();

  constructor(
    private readonly cluster: Cluster,
    private readonly log: Logger,
  ) {}

  /** Begins a run unless one is under way; `shrunk` is called after it, when the database became smaller. */
  begin(database: string, limitBytes: number, shrunk: () => void): void {
    if (this.running.has(database)) return;
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
    this.done.delete(database);
  }

  private run(database: string, limitBytes: number): Promise<number> {
    return asAdmin(this.cluster, database, LIMITS, async (session) => {
      const done = this.done.get(database) ?? new Map<string, string>();
      this.done.set(database, done);
      const before = await sizeOf(session, database);
      for (const relation of await candidates(session)) {
        if (done.get(relation.oid) === relation.changes) continue;
        if ((await sizeOf(session, database)) <= limitBytes) break;
        // Rows that an open snapshot still sees are kept, so this relation is worth another run later.
        const complete = !(await hasSnapshots(session));
        const rewritten = await this.rewrite(session, database, relation);
        if (rewritten && complete) done.set(relation.oid, relation.changes);
      }
      return before - (await sizeOf(session, database));
    });
  }

  /** False when the relation was in use, or a customer's own index function would not have it. */
  private async rewrite(session: Session, database: string, { name }: Relation): Promise<boolean> {
    try {
      await session.query(`VACUUM (FULL) ${name}`);
      return true;
    } catch (error) {
      if (sqlState(error) === null && !(error instanceof DatabaseUnavailable)) throw error;
      this.log.warn({ database, error: describeError(error) }, 'a table could not be rewritten');
      return false;
    }
  }
}

/**
 * Customers' tables, their large objects, and catalogues that grew; the largest first. A table of which no row was ever
 * deleted or replaced has nothing to give; one of which nothing at all is counted lost its counts in a crash.
 */
function candidates(session: Session): Promise<Relation[]> {
  return session.query<Relation>(
    `SELECT c.oid::text, c.oid::regclass::text AS name, coalesce(s.n_tup_del + s.n_tup_upd, 0)::text AS changes
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

async function hasSnapshots(session: Session): Promise<boolean> {
  const others = await session.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) LIMIT 1`,
  );
  return others.length > 0;
}
