import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import {
  freePort,
  startPostgres,
  startRedis,
  type PostgresCluster,
  type RedisServer,
} from '../../providers/engines/index.js';
import type { QueueBackend } from '../../src/kernel/config.js';
import { Api } from './api.js';
import { removeSouk } from './leftovers.js';
import { SoukProcess } from './souk-process.js';
import { until } from './until.js';

export type FleetRole = 'api' | 'worker' | 'relay' | 'providers';
const ROLES: FleetRole[] = ['providers', 'api', 'relay', 'worker'];

const ENGINE = { name: 'fleet', unsafeFast: true, settings: { max_connections: '300' } };

const TOKEN = 'operator-token-of-the-fleet';

/**
 * A Souk in several real processes, one for each role, with engines of its own that a test may flush, restart or
 * kill, and the real Postgres provider.
 */
export class Fleet {
  readonly processes = new Map<FleetRole, SoukProcess>();

  private constructor(
    readonly home: string,
    /** Where the fleet's own engines are, out of the Souks' folder: that is closed to all but its user. */
    private readonly engines: string,
    readonly queue: QueueBackend,
    readonly port: number,
    private postgres: PostgresCluster,
    readonly redis: RedisServer | null,
  ) {}

  static async start(queue: QueueBackend): Promise<Fleet> {
    const place = mkdtempSync(join(tmpdir(), 'souk-fleet-'));
    chmodSync(place, 0o711);
    const [home, engines] = [join(place, 'home'), join(place, 'engines')];
    let fleet: Fleet | null = null;
    try {
      const postgres = await startPostgres({ home: engines, ...ENGINE });
      const redis = queue === 'redis' ? await startRedis({ home: engines, name: 'fleet' }) : null;
      fleet = new Fleet(home, engines, queue, await freePort(), postgres, redis);
      // One after the other: the catalogue is filled before anybody asks for an add-on.
      for (const role of ROLES) {
        fleet.spawn(role);
        await fleet.waitUntilUp(role);
      }
      return fleet;
    } catch (error) {
      await fleet?.endProcesses();
      await remove(place, home, engines);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.endProcesses();
    await remove(join(this.home, '..'), this.home, this.engines);
  }

  private async endProcesses(): Promise<void> {
    for (const role of [...ROLES].reverse()) await this.processes.get(role)?.end();
  }

  get api(): Api {
    return new Api(`http://127.0.0.1:${this.port}`, TOKEN);
  }

  get databaseUrl(): string {
    return this.postgres.adminUrl;
  }

  /** Starts a role's process, to die at a crash point where one is given. */
  spawn(role: FleetRole, crashAt?: string): SoukProcess {
    const started = SoukProcess.spawn(['up'], {
      ...this.environment(role),
      ...(crashAt === undefined ? {} : { SOUK_CRASH_AT: crashAt }),
    });
    this.processes.set(role, started);
    return started;
  }

  async restart(role: FleetRole, crashAt?: string): Promise<SoukProcess> {
    const running = this.processes.get(role);
    if (running?.isRunning === true) await running.kill('SIGTERM');
    const started = this.spawn(role, crashAt);
    await this.waitUntilUp(role);
    return started;
  }

  async waitUntilUp(role: FleetRole): Promise<void> {
    await this.processes.get(role)?.waitFor('Souk is up');
  }

  /** Everything that the queue knows is gone, as after a Redis without persistence was restarted. */
  async flushQueue(): Promise<void> {
    if (this.redis === null) return;
    const client = new Redis(this.redis.url);
    await client.flushall();
    client.disconnect();
  }

  /** Stops the broker's PostgreSQL under all processes, and starts it again on the same port. */
  async restartPostgres(): Promise<void> {
    await this.postgres.stop();
    this.postgres = await startPostgres({ home: this.engines, ...ENGINE });
  }

  async query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Waits until no operation is open and nothing waits to be moved. */
  async quiet(timeoutMs = 60_000): Promise<void> {
    await until(async () => {
      const open = await this.query(
        'SELECT type, state, attempt, last_error FROM operations WHERE finished_at IS NULL',
      );
      const waiting = await this.query('SELECT id FROM outbox');
      if (open.length + waiting.length > 0)
        throw new Error(`open: ${JSON.stringify(open)}, outbox: ${waiting.length}`);
    }, timeoutMs);
  }

  private environment(role: FleetRole): Record<string, string> {
    return {
      SOUK_HOME: this.home,
      SOUK_ROLE: role,
      SOUK_QUEUE: this.queue,
      SOUK_LOG_LEVEL: process.env.SOUK_LOG_LEVEL ?? 'error',
      SOUK_ADMIN_EMAIL: 'operator@souk.test',
      SOUK_ADMIN_TOKEN: TOKEN,
      SOUK_PROVIDERS: 'postgres',
      // The worker does the work alone, so that it is the worker that crashes.
      SOUK_SETTLE_MS: '0',
      SOUK_PROVIDER_TIMEOUT_MS: '2500',
      SOUK_LEASE_MS: '2600',
      SOUK_NUDGE_MS: '1000',
      SOUK_DRAIN_MS: '0',
      PORT: String(this.port),
      DATABASE_URL: this.databaseUrl,
      ...(this.redis === null ? {} : { REDIS_URL: this.redis.url }),
    };
  }
}

/** Whatever runs there, in whichever state it is. */
async function remove(place: string, ...homes: string[]): Promise<void> {
  for (const home of homes) await removeSouk(home);
  rmSync(place, { recursive: true, force: true });
}

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
