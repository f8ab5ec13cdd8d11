import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from 'pg';
import { providerClusterUrl } from './inventory.js';
import {
  basic,
  Bench,
  fillUntilEnded,
  PASSWORD,
  type ProviderProcess,
  rowsOf,
  SLUG,
  until,
} from './spec-support.js';

/** A notice as the platform got it. */
export interface HeardNotice {
  uuid: string;
  key: string;
  severity: string;
  message: string;
  cleared: boolean;
}

/** A platform that takes notices, or does not, as it is told. */
export class Platform {
  readonly notices: HeardNotice[] = [];
  readonly refused: HeardNotice[] = [];
  /** What it answers. */
  status = 204;

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<Platform> {
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const uuid = /^\/addons\/([0-9a-f-]{36})\/notices$/.exec(request.url ?? '')?.[1] ?? '';
        const allowed = request.headers.authorization === basic(SLUG, PASSWORD) && request.method === 'POST';
        const notice = { uuid, ...(JSON.parse(text) as Omit<HeardNotice, 'uuid'>) };
        const status = allowed && uuid !== '' ? platform.status : 401;
        (status < 300 ? platform.notices : platform.refused).push(notice);
        response.writeHead(status).end();
      });
    });
    const platform = new Platform(server);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return platform;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  of(uuid: string): HeardNotice[] {
    return this.notices.filter((notice) => notice.uuid === uuid);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A platform, and a provider whose smaller plan is full after a few megabytes. An empty database takes 7.5 of them. */
export class QuotaWorld {
  static readonly QUOTA_BYTES = 14 * 1024 * 1024;

  private constructor(
    readonly bench: Bench,
    readonly platform: Platform,
    readonly home: string,
    public provider: ProviderProcess,
    private readonly env: Record<string, string>,
  ) {}

  static async start(intervalMs = 100): Promise<QuotaWorld> {
    const platform = await Platform.start();
    const bench = new Bench();
    const home = await bench.home();
    const env = {
      SOUK_HOME: home,
      SOUK_PLATFORM_URL: platform.url,
      SOUK_QUOTA_INTERVAL_MS: String(intervalMs),
      SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: String(QuotaWorld.QUOTA_BYTES),
      SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_1: String(4 * QuotaWorld.QUOTA_BYTES),
    };
    return new QuotaWorld(bench, platform, home, await bench.start(env), env);
  }

  /** Killed as the operating system does it, and started again. */
  async killAndStart(): Promise<void> {
    await this.provider.kill();
    this.provider = await this.bench.start(this.env);
  }

  async clear(): Promise<void> {
    await this.bench.clear();
    await this.platform.stop();
  }

  /** What the holders were told, in order. */
  heard(uuid: string): string[] {
    return this.platform.of(uuid).map(({ severity, cleared }) => (cleared ? 'cleared' : severity));
  }

  async stopped(uuid: string): Promise<void> {
    await until('writes are stopped', async () => this.heard(uuid).at(-1) === 'critical');
  }

  async lifted(uuid: string): Promise<void> {
    await until('writes go on', async () => ['cleared', 'warning'].includes(this.heard(uuid).at(-1) ?? ''));
  }

  async overfill(uuid: string, session: Client): Promise<void> {
    await fillUntilEnded(session);
    await this.stopped(uuid);
  }

  /** A superuser's URL of a tenant's database. */
  async adminOf(url: string): Promise<string> {
    const admin = new URL(await providerClusterUrl(this.home));
    admin.pathname = new URL(url).pathname;
    return admin.href;
  }

  async sizeOf(url: string): Promise<number> {
    const sql = 'SELECT pg_database_size(current_database()) AS bytes';
    const [row] = await rowsOf<{ bytes: string }>(await this.adminOf(url), sql);
    return Number(row?.bytes);
  }
}
