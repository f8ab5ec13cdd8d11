import type { Database } from '../../kit/index.js';
import { TENANT_DATABASE } from '../engine/names.js';

interface Seen {
  database: string;
  transactions: string;
  active: boolean;
}

/** Tells which tenants' databases may have grown since it was asked last: one query for the whole cluster. */
export class Activity {
  /** Per database, the server's count of ended transactions. */
  private ended = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /** Databases in which a statement or a transaction is open, or in which one has ended since the last call. */
  async takeBusy(): Promise<string[]> {
    const seen = await this.database.query<Seen>(
      `SELECT s.datname AS database, s.xact_commit + s.xact_rollback AS transactions, busy.datid IS NOT NULL AS active
       FROM pg_stat_database s
       LEFT JOIN (
         SELECT DISTINCT datid FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle'
       ) busy ON busy.datid = s.datid
       WHERE s.datname ~ $1`,
      [TENANT_DATABASE],
    );
    const before = this.ended;
    this.ended = new Map(seen.map(({ database, transactions }) => [database, transactions]));
    return seen
      .filter(({ database, transactions, active }) => active || before.get(database) !== transactions)
      .map(({ database }) => database);
  }
}
