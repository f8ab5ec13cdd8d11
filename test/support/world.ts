import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { freePort } from '../../providers/engines/index.js';
import { SYSTEM } from '../../src/accounts/actor.js';
import { ImportManifest } from '../../src/catalog/commands/import-manifest.js';
import { SetClientSecret } from '../../src/catalog/commands/set-client-secret.js';
import { Clock } from '../../src/kernel/clock.js';
import { DEFAULT_WAITS, type Config, type QueueBackend, type Waits } from '../../src/kernel/config.js';
import type { CrashPoints } from '../../src/kernel/crash-points.js';
import { KeyRing } from '../../src/kernel/crypto/key-ring.js';
import { Database } from '../../src/kernel/db/database.js';
import { createLogger } from '../../src/kernel/log.js';
import { Secret } from '../../src/kernel/secret.js';
import { startBroker, type Broker } from '../../src/roots/broker.js';
import { Rounds } from '../../src/roots/rounds.js';
import { Api, ok } from './api.js';
import { cloneDatabase, type TestDatabase } from './databases.js';
import { FakeProvider } from './fake-provider.js';
import type { AddonBody, AppBody } from './resources.js';
import { until } from './until.js';

/** A clock that tests move forward. */
export class MovableClock extends Clock {
  private aheadMs = 0;
  private stoppedAt: number | null = null;

  override now(): Date {
    return new Date((this.stoppedAt ?? Date.now()) + this.aheadMs);
  }

  /** From here on it goes only where it is moved, so that no retry comes due by itself. */
  freeze(): void {
    this.stoppedAt ??= Date.now();
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}

export interface WorldOptions {
  queue?: QueueBackend;
  /** Which parts run; `api` alone leaves the queue untouched. */
  role?: Config['role'];
  waits?: Partial<Waits>;
  crashPoints?: CrashPoints;
  /** Private addresses that third-party providers may be called at; none unless given. */
  egressAllow?: Config['egressAllow'];
}

/** The backends that this machine can run; PostgreSQL's is always among them. */
export function queueBackends(): QueueBackend[] {
  return inject('redisUrl') === null ? ['postgres'] : ['redis', 'postgres'];
}

const OPERATOR = { email: 'operator@souk.test', token: 'operator-token-of-the-tests' };

/** A broker of its own: a cloned database, a queue, a partner on loopback, a clock that can be moved. */
export class World {
  private constructor(
    readonly broker: Broker,
    readonly config: Config,
    readonly clock: MovableClock,
    readonly database: TestDatabase,
    readonly provider: FakeProvider,
    private readonly home: string,
  ) {}

  static async start(options: WorldOptions = {}): Promise<World> {
    const home = mkdtempSync(join(tmpdir(), 'souk-world-'));
    const database = await cloneDatabase();
    const provider = new FakeProvider();
    await provider.start();
    const clock = new MovableClock();
    const config = await configure(home, database.url, options);
    const log = createLogger(process.env.SOUK_LOG_LEVEL ?? 'silent', {});
    const broker = await startBroker({ config, log, clock, crashPoints: options.crashPoints });
    const world = new World(broker, config, clock, database, provider, home);
    await world.importManifest();
    return world;
  }

  async stop(): Promise<void> {
    await this.broker.stop();
    await this.provider.stop();
    await this.database.drop();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The first operator's client. */
  get api(): Api {
    return new Api(this.config.publicUrl, OPERATOR.token);
  }

  get anonymous(): Api {
    return new Api(this.config.publicUrl, null);
  }

  /** A client of a new account. */
  async newAccount(email = `${randomBytes(4).toString('hex')}@souk.test`): Promise<Api> {
    const made = ok(await this.api.post<{ token: string }>('/admin/accounts', { email }));
    return new Api(this.config.publicUrl, made.token);
  }

  async newApp(api: Api = this.api, name?: string): Promise<AppBody> {
    return ok(await api.post<AppBody>('/apps', name === undefined ? {} : { name }));
  }

  /** An add-on that is provisioned when this resolves. */
  async addAddon(app: string, plan = 'pg:mini', api: Api = this.api, body: object = {}): Promise<AddonBody> {
    return ok(await api.post<AddonBody>(`/apps/${app}/addons`, { plan, ...body }));
  }

  async importManifest(overrides: Record<string, unknown> = {}): Promise<void> {
    const { app } = this.broker;
    const manifest = this.provider.manifest(overrides);
    const slug = await app.get(ImportManifest).run(SYSTEM, manifest, { bundled: true });
    await app.get(SetClientSecret).run(SYSTEM, slug, new Secret(`${slug}-${this.provider.clientSecret}`));
  }

  /** One round of the reconcilers, as a worker walks it each second. */
  async walkRounds(): Promise<void> {
    await this.broker.app.get(Rounds).walk();
  }

  /** The state as the tables have it, of the add-on and of its newest operation. */
  async statesOf(addonId: string): Promise<{ addon: string; operation: string; failed: boolean }> {
    const [row] = await this.database.query<{ addon: string; operation: string; failed: boolean }>(
      `SELECT a.state AS addon, a.failed, o.state AS operation FROM addons a JOIN operations o ON o.addon_id = a.id
       WHERE a.id = $1 ORDER BY o.created_at DESC LIMIT 1`,
      [addonId],
    );
    if (row === undefined) throw new Error(`no add-on ${addonId}`);
    return row;
  }

  /** Moves the clock on and walks rounds until no operation is open. A call under way keeps its lease. */
  async runUntilQuiet(stepMs = 30_000, timeoutMs = 20_000): Promise<void> {
    await until(async () => {
      await this.advanceUnlessLeased(stepMs);
      await this.walkRounds();
      const open = await this.database.query(
        'SELECT id, type, state FROM operations WHERE finished_at IS NULL',
      );
      if (open.length > 0) throw new Error(`operations are open: ${JSON.stringify(open)}`);
    }, timeoutMs);
  }

  /** Under the operations' locks, so that no worker takes a lease between the look and the step. */
  private async advanceUnlessLeased(stepMs: number): Promise<void> {
    await this.broker.app.get(Database).source.transaction(async (tx) => {
      const open: { lease_until: Date | null }[] = await tx.query(
        'SELECT lease_until FROM operations WHERE finished_at IS NULL ORDER BY id FOR UPDATE',
      );
      const now = this.clock.now();
      const leased = open.some(({ lease_until }) => lease_until !== null && lease_until > now);
      if (!leased) this.clock.advance(stepMs);
    });
  }
}

async function configure(home: string, databaseUrl: string, options: WorldOptions): Promise<Config> {
  const port = await freePort();
  const redisUrl = inject('redisUrl');
  const queue = options.queue ?? (redisUrl === null ? 'postgres' : 'redis');
  return {
    home,
    host: '127.0.0.1',
    port,
    role: options.role ?? 'all',
    databaseUrl: new Secret(databaseUrl),
    redisUrl: queue === 'redis' && redisUrl !== null ? new Secret(redisUrl) : null,
    queue,
    queuePrefix: `test-${randomBytes(6).toString('hex')}`,
    keyRing: KeyRing.fromFile(join(home, 'keyring')),
    admin: { email: OPERATOR.email, token: new Secret(OPERATOR.token), from: 'settings' },
    egressAllow: options.egressAllow ?? [],
    logLevel: 'silent',
    publicUrl: `http://127.0.0.1:${port}`,
    ...DEFAULT_WAITS,
    drainMs: 0,
    ...options.waits,
  };
}
