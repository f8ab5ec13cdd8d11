import { Client, DatabaseError, Pool, type ClientBase, type ClientConfig, type QueryResultRow } from 'pg';

/** The database cannot be asked now: it is down, restarting, out of connections, or a lock was too long in coming. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database cannot be asked right now.', { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/** SQLSTATE classes and codes that say "not now" rather than "no". */
const NOT_NOW = /^(08...|53...|57P0[1-5]|57014|55006|55P03|40001|40P01)$/;

/** Something that takes SQL: a database, or one session of it. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** One connection, so that what is said in sequence meets the same locks and transaction. */
export class Session implements Queryable {
  constructor(private readonly client: ClientBase) {}

  async query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
    return translated(async () => {
      const result = await this.client.query<Row>(sql, values);
      // A text of several statements gives a list of results; those callers want no rows.
      return Array.isArray(result) ? [] : result.rows;
    });
  }

  /** Commits what the work did, or nothing of it. */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    try {
      const value = await work(this);
      await this.query('COMMIT');
      return value;
    } catch (error) {
      // Where the connection is lost there is nothing left to roll back, and the first error tells more.
      await this.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}

export interface DatabaseOptions {
  url: string;
  applicationName: string;
  connectionsMax: number;
  statementTimeoutMs: number;
  lockTimeoutMs: number;
}

/** A pool that outlives the server: a lost connection fails the call that used it and no other. */
export class Database implements Queryable {
  private pool: Pool;
  private url: string;

  constructor(
    private readonly options: DatabaseOptions,
    private readonly onLost: (error: Error) => void,
  ) {
    this.url = options.url;
    this.pool = this.open();
  }

  /** The server was found under another address; calls under way still end on the old one. */
  async repoint(url: string): Promise<void> {
    if (url === this.url) return;
    this.url = url;
    const old = this.pool;
    this.pool = this.open();
    await old.end();
  }

  async query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
    return this.session((session) => session.query<Row>(sql, values));
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.session((session) => session.transaction(work));
  }

  /** Lends one connection for as long as the work takes; session locks that the work leaves behind end with it. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await translated(() => this.pool.connect());
    let failed: Error | undefined;
    // A connection that breaks while it is lent fails the next query; without a listener it would end the process.
    const lost = (error: Error) => (failed = error);
    client.on('error', lost);
    try {
      return await work(new Session(client));
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.removeListener('error', lost);
      // After any error the connection is thrown away: nobody knows in what state it is.
      client.release(failed);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private open(): Pool {
    const { applicationName, connectionsMax, statementTimeoutMs, lockTimeoutMs } = this.options;
    const pool = new Pool({
      ...connectionConfig(this.url, applicationName, { statementTimeoutMs, lockTimeoutMs }),
      max: connectionsMax,
      idleTimeoutMillis: 30_000,
    });
    pool.on('error', (error) => this.onLost(error));
    return pool;
  }
}

/** Runs the work on a connection of its own, outside any pool. */
export async function withConnection<T>(
  url: string,
  applicationName: string,
  limits: { statementTimeoutMs: number; lockTimeoutMs: number },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = new Client(connectionConfig(url, applicationName, limits));
  // The query that runs meets the same error; without a listener it would end the process.
  client.on('error', () => undefined);
  await translated(() => client.connect());
  try {
    return await work(new Session(client));
  } finally {
    await client.end().catch(() => undefined);
  }
}

function connectionConfig(
  url: string,
  applicationName: string,
  limits: { statementTimeoutMs: number; lockTimeoutMs: number },
): ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    // A server that was stopped in its tracks keeps no time itself.
    query_timeout: limits.statementTimeoutMs + 5_000,
    keepAlive: true,
    // Only the system's own functions: a customer may have made others of the same name in any schema on the path.
    options: `-c search_path=pg_catalog -c statement_timeout=${limits.statementTimeoutMs} -c lock_timeout=${limits.lockTimeoutMs}`,
  };
}

/** The code of an error that the server answered with; null for all others. */
export function sqlState(error: unknown): string | null {
  return error instanceof DatabaseError ? (error.code ?? null) : null;
}

async function translated<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DatabaseError && !NOT_NOW.test(error.code ?? '')) throw error;
    throw new DatabaseUnavailable(error);
  }
}
