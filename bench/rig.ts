import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import {
  EngineUnavailable,
  freePort,
  removeEngine,
  startPostgres,
  startRedis,
  type PostgresCluster,
  type RedisServer,
} from '../providers/engines/index.js';

/** Longer than a server takes that finishes its requests; then it is killed. */
const STOP_MS = 30_000;
const TOKEN = 'operator-token-of-the-bench';

/** The repository's root, from dist/bench. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A Souk as it is shipped, in processes of its own, beside a cluster that both it and the baseline use. */
export class Rig {
  private readonly children: ChildProcess[] = [];

  private constructor(
    private readonly home: string,
    /** The cluster of tenants: the provider's, and the baseline's. */
    readonly cluster: PostgresCluster,
    /** The queue of Souk and of the baseline; null where no Redis can be had: then both queue on PostgreSQL. */
    readonly redis: RedisServer | null,
    readonly url: string,
    /** Where Souk may call a provider on this machine that is not its own. */
    readonly providerPort: number,
  ) {}

  static async start(): Promise<Rig> {
    const home = mkdtempSync(join(tmpdir(), 'souk-bench-'));
    chmodSync(home, 0o711);
    const cluster = await startPostgres({
      home,
      name: 'tenants',
      settings: { max_connections: '1000' },
    }).catch((error: unknown) => {
      rmSync(home, { recursive: true, force: true });
      throw error;
    });
    const redis = await startRedis({ home, name: 'bench' }).catch(async (error: unknown) => {
      if (error instanceof EngineUnavailable) return null;
      await cluster.stop();
      throw error;
    });
    const port = await freePort();
    const providerPort = await freePort();
    const rig = new Rig(home, cluster, redis, `http://127.0.0.1:${port}`, providerPort);
    try {
      rig.spawn([join(ROOT, 'bin', 'souk.mjs'), 'up'], {
        SOUK_HOME: join(home, 'souk'),
        SOUK_POSTGRES_CLUSTER_URL: cluster.adminUrl,
        SOUK_EGRESS_ALLOW: `127.0.0.1:${providerPort}`,
        ...(redis === null ? { SOUK_QUEUE: 'postgres' } : { SOUK_QUEUE: 'redis', REDIS_URL: redis.url }),
        SOUK_ADMIN_EMAIL: 'bench@souk.test',
        SOUK_ADMIN_TOKEN: TOKEN,
        SOUK_LOG_LEVEL: 'error',
        PORT: String(port),
      });
      await rig.waitFor(`${rig.url}/health/ready`);
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  /** Runs a program of ours beside; it ends with the rig. */
  spawn(args: string[], env: Record<string, string>): void {
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.children.push(child);
  }

  /** Fails at once when a program of ours ended: then nothing more will answer. */
  async waitFor(url: string): Promise<void> {
    const deadline = AbortSignal.timeout(120_000);
    for (;;) {
      deadline.throwIfAborted();
      if (this.children.some(hasEnded)) throw new Error(`A program ended before ${url} answered.`);
      const answer = await fetch(url).catch(() => null);
      if (answer?.ok === true) return;
      await wait(50);
    }
  }

  get token(): string {
    return TOKEN;
  }

  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map(endChild));
    await this.redis?.stop();
    await this.cluster.stop();
    await removeEngine({ home: this.home, kind: 'redis', name: 'bench' });
    await removeEngine({ home: this.home, kind: 'postgres', name: 'tenants' });
    await removeEngine({ home: join(this.home, 'souk'), kind: 'postgres', name: 'broker' });
    await removeEngine({ home: join(this.home, 'souk'), kind: 'redis', name: 'queue' });
    rmSync(this.home, { recursive: true, force: true });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** It may be gone already, or not start at all; one that stays is killed. */
async function endChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(limit);
}
