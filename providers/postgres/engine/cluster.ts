import { readFile } from 'node:fs/promises';
import { startPostgres, type PostgresCluster, type PostgresOptions } from '../../engines/index.js';
import { join } from 'node:path';
import { Repeating, withConnection, type Logger, type Session } from '../../kit/index.js';
import { writeAccessRules } from './access-rules.js';
import { affordableConnections, RESERVED_CONNECTIONS } from './capacity.js';
import { keepPort } from './kept-port.js';

/** The shared cluster that the tenants' databases are in. */
export interface Cluster {
  /** A superuser's URL of one of its databases. Holds a secret. */
  adminUrl(database: string): string;
  /** Where tenants reach it: `localhost:PORT`, since clients ask for TLS everywhere else. */
  readonly address: string;
  /** Called when the cluster was found under another address than before. */
  onMoved(listener: () => Promise<void>): void;
  stop(): Promise<void>;
}

const SETTINGS: Record<string, string> = {
  superuser_reserved_connections: String(RESERVED_CONNECTIONS),
  // A half-open log-in takes a place as well.
  authentication_timeout: '15s',
  // Of roles that have no limit of their own.
  temp_file_limit: '4GB',
  max_prepared_transactions: '0',
  // Locks of all tenants share one table, of this times max_connections places. It has to take what a few greedy
  // sessions reach (250,000 a second each) before the lock guard ends them.
  max_locks_per_transaction: '256',
  // A tenant can make a few of them busy for a while with its own index functions.
  autovacuum_max_workers: '5',
  max_replication_slots: '10',
  // What a tenant makes the server log lands outside every quota, and a failing statement may hold secrets. Neither
  // level can be changed by a tenant.
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
};

/**
 * What is notified and not yet heard by every listener waits in files outside every quota: 64 MB, not 8 GB. Servers
 * before 17 do not know the setting, and would not start with it.
 */
const SETTINGS_17: Record<string, string> = { max_notify_queue_pages: '8192' };

/** A new log-in each time, since old sessions outlive a smart shutdown. */
const WATCH_MS = 1_000;
const PING_LIMITS = { statementTimeoutMs: 5_000, lockTimeoutMs: 5_000 };

/** The URL of another database of the same server. */
export function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs work as superuser on a connection of its own to one database. */
export async function asAdmin<T>(
  cluster: Cluster,
  database: string,
  limits: { statementTimeoutMs: number; lockTimeoutMs: number },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return withConnection(cluster.adminUrl(database), 'souk-postgres', limits, work);
}

/** A cluster that somebody else runs: it is neither started nor stopped here. */
export class GivenCluster implements Cluster {
  constructor(private readonly url: string) {}

  get address(): string {
    const { hostname, port } = new URL(this.url);
    const local = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return `${local ? 'localhost' : hostname}:${port === '' ? '5432' : port}`;
  }

  adminUrl(database: string): string {
    return urlOf(this.url, database);
  }

  onMoved(): void {
    // Its address is given and stays.
  }

  async stop(): Promise<void> {
    // Whoever started it stops it.
  }
}

/** Our own cluster: started with us, started again when its server dies, stopped with us. */
export class OwnCluster implements Cluster {
  private readonly watch: Repeating;
  private readonly listeners: (() => Promise<void>)[] = [];

  private constructor(
    private running: PostgresCluster,
    private readonly options: OwnClusterOptions,
  ) {
    this.watch = new Repeating('cluster watch', WATCH_MS, () => this.look(), options.log);
    this.watch.start();
  }

  static async start(options: OwnClusterOptions): Promise<OwnCluster> {
    const running = await launch(options);
    return new OwnCluster(running, options);
  }

  get address(): string {
    return `localhost:${this.running.port}`;
  }

  adminUrl(database: string): string {
    return urlOf(this.running.adminUrl, database);
  }

  onMoved(listener: () => Promise<void>): void {
    this.listeners.push(listener);
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    await this.running.stop();
  }

  /** Starting is safe to repeat: a server that only recovers is waited for, a dead one is started. */
  private async look(): Promise<void> {
    try {
      await withConnection(this.running.adminUrl, 'souk-postgres-watch', PING_LIMITS, (session) =>
        session.query('SELECT 1'),
      );
      return;
    } catch {
      this.options.log.error('the cluster does not answer, and is started again');
    }
    await hastenShutdown(this.running);
    const before = this.running.adminUrl;
    this.running = await launch(this.options);
    this.options.log.info('the cluster answers again');
    if (this.running.adminUrl !== before) for (const listener of this.listeners) await listener();
  }
}

/** A smart shutdown (a plain `kill`) waits until the last session leaves, which may be never; a fast one does not. */
async function hastenShutdown({ dataFolder }: PostgresCluster): Promise<void> {
  const file = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = file.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (lines[7] !== 'stopping' || !Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    // It was faster.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export interface OwnClusterOptions {
  home: string;
  /** Null: as many as the machine's memory carries. */
  maxConnections: number | null;
  unsafeFast: boolean;
  log: Logger;
}

/** The folder below SOUK_HOME that is this provider's own. */
export function providerFolder(home: string): string {
  return join(home, 'providers', 'postgres');
}

async function launch(options: OwnClusterOptions): Promise<PostgresCluster> {
  const place = { home: providerFolder(options.home), name: 'shared' };
  const running = await keepPort(place, () => startShared(place, options));
  try {
    await writeAccessRules(running);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

async function startShared(
  place: PostgresOptions,
  { maxConnections, unsafeFast, log }: OwnClusterOptions,
): Promise<PostgresCluster> {
  const start = (more: Record<string, string>) =>
    startPostgres({
      ...place,
      settings: {
        ...SETTINGS,
        ...more,
        max_connections: String(maxConnections ?? affordableConnections()),
      },
      unsafeFast,
      progress: (message) => log.info(message),
    });
  try {
    return await start(SETTINGS_17);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('unrecognized configuration parameter'))
      throw error;
    return start({});
  }
}
