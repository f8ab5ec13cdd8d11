import { isIP, isIPv6 } from 'node:net';
import { KeyRing } from './crypto/key-ring.js';
import { parseEgressEntry, type EgressRule } from './egress.js';
import { Secret } from './secret.js';

export const ROLES = ['all', 'api', 'worker', 'relay', 'providers'] as const;
export type Role = (typeof ROLES)[number];

export type QueueBackend = 'redis' | 'postgres';

/** What the environment asks for, parsed once at start. A bad value stops the process with one sentence. */
export interface Settings {
  home: string;
  host: string;
  port: number;
  role: Role;
  /** null: Souk starts its own PostgreSQL. */
  databaseUrl: Secret | null;
  /** null: Souk starts its own Valkey or Redis, or does without. */
  redisUrl: Secret | null;
  queue: 'auto' | QueueBackend;
  masterKey: Secret | null;
  admin: { email: string; token: Secret; from: 'settings' | 'folder' } | null;
  /** Bundled providers to start; null means all of them. */
  providers: string[] | null;
  /** Private addresses that calls to providers and the like may go to all the same. */
  egressAllow: EgressRule[];
  logLevel: string;
  /** The address under which others reach this server; null: http://HOST:PORT. */
  publicUrl: string | null;
  waits: Waits;
}

/** The waits of provisioning, in milliseconds. */
export interface Waits {
  /** How long an API call waits for a provider that may answer at once. 0: not at all. */
  settleMs: number;
  /** Time-out of one call to a provider. */
  providerTimeoutMs: number;
  /** How long a claim on an operation lasts; longer than a call, so that only a dead worker loses it. */
  leaseMs: number;
  /** How long a fresh operation is left to its own job before the reconciler looks after it. */
  nudgeMs: number;
  /** How long a server that was told to stop still takes requests, so that those on their way find it. */
  drainMs: number;
}

/** Everything the broker needs to run: `Settings` with each engine settled. */
export interface Config extends Waits {
  home: string;
  host: string;
  port: number;
  role: Role;
  databaseUrl: Secret;
  redisUrl: Secret | null;
  queue: QueueBackend;
  /** Keeps the queues of several brokers apart on one Redis or PostgreSQL. */
  queuePrefix: string;
  keyRing: KeyRing;
  admin: Settings['admin'];
  egressAllow: Settings['egressAllow'];
  logLevel: string;
  publicUrl: string;
}

/** Injection token of `Config`. */
export const CONFIG = Symbol('Config');

class Reader {
  readonly problems: string[] = [];
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  text(name: string): string | null {
    const value = this.env[name];
    return value === undefined || value.trim() === '' ? null : value.trim();
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.text(name);
    if (value === null) return fallback;
    const known = allowed.find((one) => one === value);
    if (known === undefined)
      this.problems.push(`${name} must be one of ${allowed.join(', ')}, not "${value}".`);
    return known ?? fallback;
  }

  port(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const port = Number(value);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      this.problems.push(`${name} must be a port number from 0 to 65535, not "${value}".`);
    return port;
  }

  milliseconds(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const ms = Number(value);
    if (!Number.isInteger(ms) || ms < 0)
      this.problems.push(`${name} must be a whole number of milliseconds, not "${value}".`);
    return ms;
  }

  url(name: string, protocols: string[]): Secret | null {
    const value = this.text(name);
    if (value === null) return null;
    const ok = URL.canParse(value) && protocols.includes(new URL(value).protocol);
    if (!ok) this.problems.push(`${name} must be a URL that begins with ${protocols.join(' or ')}//.`);
    return new Secret(value);
  }

  /** An address or a name, alone: no scheme, no port. */
  host(name: string, fallback: string): string {
    const value = this.text(name);
    if (value === null) return fallback;
    if (isIP(value) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value))
      this.problems.push(`${name} must be an address or a host name alone, such as 0.0.0.0, not "${value}".`);
    return value;
  }

  /** The root of an HTTP server, without the slash at its end. */
  origin(name: string): string | null {
    const value = this.text(name);
    if (value === null) return null;
    const url = URL.canParse(value) ? new URL(value) : null;
    if (
      url === null ||
      !['http:', 'https:'].includes(url.protocol) ||
      url.username + url.password + url.search + url.hash !== ''
    )
      this.problems.push(
        `${name} must be an address such as https://souk.example.test, without a user, "?" or "#".`,
      );
    return value.replace(/\/+$/, '');
  }

  keyRing(name: string): Secret | null {
    const value = this.text(name);
    if (value === null) return null;
    const problem = KeyRing.problemIn(value);
    if (problem !== null) this.problems.push(`${name}: ${problem}.`);
    return new Secret(value);
  }

  egress(name: string): EgressRule[] {
    return (this.list(name) ?? []).flatMap((entry) => {
      const rules = parseEgressEntry(entry);
      if (rules === null)
        this.problems.push(
          `${name}: "${entry}" must be address[:port], such as 127.0.0.1:4000 or [::1]:4000.`,
        );
      return rules ?? [];
    });
  }

  list(name: string): string[] | null {
    const value = this.text(name);
    return value === null
      ? null
      : value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '');
  }
}

/** Settings from environment variables (DESIGN of the start-up contract: docs/operator.md). */
export function readSettings(env: NodeJS.ProcessEnv, cwd: string): Settings {
  const read = new Reader(env);
  const email = read.text('SOUK_ADMIN_EMAIL');
  const token = read.text('SOUK_ADMIN_TOKEN');
  if ((email === null) !== (token === null))
    read.problems.push('SOUK_ADMIN_EMAIL and SOUK_ADMIN_TOKEN go together: set both or neither.');
  if (email !== null && !/^[^@\s]+@[^@\s]+$/.test(email))
    read.problems.push('SOUK_ADMIN_EMAIL must be an e-mail address.');
  if (token !== null && token.length < 16)
    read.problems.push(
      'SOUK_ADMIN_TOKEN must have at least 16 characters; `openssl rand -hex 24` makes a good one.',
    );
  const settings: Settings = {
    home: read.text('SOUK_HOME') ?? `${cwd}/.souk`,
    host: read.host('HOST', '127.0.0.1'),
    port: read.port('PORT', 5000),
    role: read.oneOf('SOUK_ROLE', ROLES, 'all'),
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']),
    queue: read.oneOf('SOUK_QUEUE', ['auto', 'redis', 'postgres'] as const, 'auto'),
    masterKey: read.keyRing('SOUK_MASTER_KEY'),
    admin: email !== null && token !== null ? { email, token: new Secret(token), from: 'settings' } : null,
    providers: read.list('SOUK_PROVIDERS'),
    egressAllow: read.egress('SOUK_EGRESS_ALLOW'),
    logLevel: read.oneOf('SOUK_LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'] as const, 'info'),
    publicUrl: read.origin('SOUK_PUBLIC_URL'),
    waits: readWaits(read),
  };
  if (settings.databaseUrl !== null && settings.masterKey === null && env.SOUK_HOME === undefined)
    read.problems.push(
      'With DATABASE_URL, set SOUK_MASTER_KEY (openssl rand -base64 32) or SOUK_HOME, so that the key outlives this folder.',
    );
  if (read.problems.length > 0) throw new SettingsError(read.problems);
  return settings;
}

/** Where this machine reaches a server that listens on `host`: one that listens on all addresses, on loopback. */
export function localUrl(host: string, port: number): string {
  const at = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${isIPv6(at) ? `[${at}]` : at}:${port}`;
}

/** The environment asks for something that cannot be; `problems` are sentences for the person who set it. */
export class SettingsError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join(' '));
    this.name = 'SettingsError';
  }
}

/** Fits providers that answer within the 25 s that Heroku's partner documentation allows them. */
export const DEFAULT_WAITS: Waits = {
  settleMs: 10_000,
  providerTimeoutMs: 25_000,
  leaseMs: 40_000,
  nudgeMs: 10_000,
  drainMs: 1_000,
};

function readWaits(read: Reader): Waits {
  const waits = {
    settleMs: read.milliseconds('SOUK_SETTLE_MS', DEFAULT_WAITS.settleMs),
    providerTimeoutMs: read.milliseconds('SOUK_PROVIDER_TIMEOUT_MS', DEFAULT_WAITS.providerTimeoutMs),
    leaseMs: read.milliseconds('SOUK_LEASE_MS', DEFAULT_WAITS.leaseMs),
    nudgeMs: read.milliseconds('SOUK_NUDGE_MS', DEFAULT_WAITS.nudgeMs),
    drainMs: read.milliseconds('SOUK_DRAIN_MS', DEFAULT_WAITS.drainMs),
  };
  if (waits.leaseMs <= waits.providerTimeoutMs)
    read.problems.push(
      'SOUK_LEASE_MS must be longer than SOUK_PROVIDER_TIMEOUT_MS: a call that is under way must keep its claim.',
    );
  return waits;
}
