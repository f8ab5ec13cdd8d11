import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import {
  EngineUnavailable,
  holdLock,
  LockHeld,
  startPostgres,
  startRedis,
  whyNoListening,
  type Missing,
} from '../../providers/engines/index.js';
import { localUrl, SettingsError, type Config, type Settings } from '../kernel/config.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import type { Progress } from '../kernel/progress.js';
import { Secret } from '../kernel/secret.js';
import { ensureAdmin } from './credentials.js';
import { settlePort } from './port.js';
import { has } from './role.js';
import { stopAll, stopAllAfterFailure } from './stop-all.js';

/** A configuration with every engine settled, and how to stop what was started for it. */
export interface BroughtUp {
  config: Config;
  /** What could not be had, by name. */
  missing: Missing[];
  /** Stops the engines that Souk started, cleanly. */
  stopEngines: () => Promise<void>;
}

/** A Souk that was just told to stop may still be draining; one that runs is not waited for. */
const HOME_LOCK_WAIT_MS = 1_000;

/** The broker's own needs, which are few: connections of the API, the worker, the relay and the queue. */
const BROKER_POSTGRES = { max_connections: '200' };

/** What a start goes by. */
interface Start {
  settings: Settings;
  home: string;
  progress: Progress;
  /** Gives the start up; what it began is ended then. */
  signal: AbortSignal;
  stops: (() => Promise<void>)[];
  missing: Missing[];
}

/**
 * Starts what the settings leave to Souk: PostgreSQL, a queue, a key ring, the first operator. Given URLs, nothing. When
 * it fails or the signal comes, what it began is ended.
 */
export async function bringUp(
  settings: Settings,
  progress: Progress,
  signal: AbortSignal = new AbortController().signal,
): Promise<BroughtUp> {
  const home = makeHome(settings);
  const stops: Start['stops'] = [];
  const missing: Missing[] = [];
  // A second whole Souk would adopt the engines of the first, and stop them under it.
  if (settings.role === 'all') stops.push(await claimHome(home));
  try {
    const config = await settle({ settings, home, progress, signal, stops, missing });
    return { config, missing, stopEngines: () => stopAll(stops) };
  } catch (error) {
    await stopAllAfterFailure(stops, (sentence) => progress.note(sentence));
    throw error;
  }
}

/** The state folder, made when absent, and closed to others. */
export function makeHome(settings: Settings): string {
  const home = resolve(settings.home);
  try {
    makeFolder(home);
    // Keys and passwords lie below; a folder that was made by hand may be open to others.
    chmodSync(home, 0o700);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SettingsError([
      `SOUK_HOME: ${home} cannot be made or used (${error.message}). Choose a folder of your own.`,
    ]);
  }
  return home;
}

/** Step by step: Node's own recursion never ends where the system says ENOENT to a new folder, as it does in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process of this Souk was faster.
    if (!existsSync(folder)) throw error;
  }
}

/** Takes the folder for this process alone, and gives what lets it go; throws `HomeInUse` while a Souk runs on it. */
export async function claimHome(home: string): Promise<() => Promise<void>> {
  try {
    return await holdLock(join(home, 'lock'), HOME_LOCK_WAIT_MS);
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new HomeInUse(home, error.holder.pid);
  }
}

/** Two whole Souks cannot share a folder. */
export class HomeInUse extends Error {
  constructor(home: string, pid: number) {
    super(`Another Souk runs on ${home} (process ${pid}). Stop it, or choose another folder with SOUK_HOME.`);
    this.name = 'HomeInUse';
  }
}

async function settle(start: Start): Promise<Config> {
  const { settings, home, signal, missing } = start;
  // First what can be wrong already: the port, the key ring, the credentials.
  if (has(settings.role, 'api')) await requirePort(settings);
  const keyRing =
    settings.masterKey === null
      ? KeyRing.fromFile(join(home, 'keyring'))
      : KeyRing.fromText(settings.masterKey.reveal());
  const admin = settings.admin ?? (settings.databaseUrl === null ? ensureAdmin(home) : null);
  const databaseUrl = settings.databaseUrl ?? (await startOwnPostgres(start));
  signal.throwIfAborted();
  const redisUrl = await settleRedis(start);
  signal.throwIfAborted();
  const queue = settings.queue === 'auto' ? (redisUrl === null ? 'postgres' : 'redis') : settings.queue;
  if (queue === 'redis' && redisUrl === null)
    throw new EngineUnavailable(
      missing[0] ?? { engine: 'redis', why: 'SOUK_QUEUE=redis, but there is none.', fix: 'Set REDIS_URL.' },
    );
  const port = await settlePort(settings.port);
  return {
    home,
    host: settings.host,
    port,
    role: settings.role,
    databaseUrl,
    redisUrl,
    queue,
    queuePrefix: `souk-${createHash('sha256').update(databaseIdentity(databaseUrl)).digest('hex').slice(0, 8)}`,
    keyRing,
    admin,
    egressAllow: settings.egressAllow,
    logLevel: settings.logLevel,
    publicUrl: settings.publicUrl ?? localUrl(settings.host, port),
    ...settings.waits,
  };
}

/** Whether the broker can listen shows at the end of a start; that it cannot, at once. */
async function requirePort({ host, port }: Settings): Promise<void> {
  const obstacle = await whyNoListening(port, host);
  if (obstacle !== null) throw obstacle;
}

async function startOwnPostgres({ home, progress, signal, stops }: Start): Promise<Secret> {
  progress.step('Starting PostgreSQL');
  const cluster = await startPostgres({
    home,
    name: 'broker',
    settings: BROKER_POSTGRES,
    progress: (sentence) => progress.step(sentence),
    signal,
  });
  stops.push(() => cluster.stop());
  return new Secret(cluster.adminUrl);
}

/** No Redis is no reason to stop: the queue then lies in PostgreSQL, and the gap is named. */
async function settleRedis({
  settings,
  home,
  progress,
  signal,
  stops,
  missing,
}: Start): Promise<Secret | null> {
  if (settings.redisUrl !== null) return settings.redisUrl;
  if (settings.queue === 'postgres' || settings.databaseUrl !== null) return null;
  progress.step('Starting Valkey');
  try {
    const server = await startRedis({
      home,
      name: 'queue',
      progress: (sentence) => progress.step(sentence),
      signal,
    });
    stops.push(() => server.stop());
    return new Secret(server.url);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    missing.push(error.missing);
    progress.note(
      `No Valkey: ${error.missing.why} ${error.missing.fix} The queue is kept in PostgreSQL instead.`,
    );
    return null;
  }
}

/** Two brokers on one Redis must not share a queue unless they share the database. */
function databaseIdentity(url: Secret): string {
  const { hostname, port, pathname } = new URL(url.reveal());
  return `${hostname}:${port}${pathname}`;
}
