/**
 * The engines that Souk can start by itself: a real PostgreSQL from npm packages, and Valkey or Redis from the
 * machine or from Debian's packages. This folder imports nothing from the broker or the providers.
 */

/** Told to whoever shows progress: one plain sentence a step, e.g. "Fetching valkey-server from Debian". */
export type Progress = (message: string) => void;

/** What could not be had, and the one line that would mend it. */
export interface Missing {
  /** The engine's public name: 'postgresql', 'valkey', 'pg-client'. */
  engine: string;
  /** One sentence on why. */
  why: string;
  /** One line (a command or a setting) that fixes it. */
  fix: string;
}

/** Thrown where an engine cannot be had; callers report it by name and go on without, never fake it. */
export class EngineUnavailable extends Error {
  constructor(readonly missing: Missing) {
    super(`${missing.engine}: ${missing.why} ${missing.fix}`);
    this.name = 'EngineUnavailable';
  }
}

/** A user of the machine that an engine runs as. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** How to run a program: it may go through a loader, so arguments come after `args`, and `env` is the whole environment. */
export interface Command {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** A PostgreSQL cluster that Souk runs as a process of its own. */
export interface PostgresCluster {
  /** Superuser URL, `postgres://postgres:…@127.0.0.1:PORT/postgres`. Holds a secret. */
  readonly adminUrl: string;
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Server version as the server says it, e.g. "17.10". */
  readonly version: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** True where it ran already, started by somebody else who may still need it. */
  readonly adopted: boolean;
  /** A fast shutdown that waits until the server is gone. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** State folder of the owner of the cluster, e.g. SOUK_HOME; created when absent. */
  home: string;
  /** Names the cluster inside `home`; the same name finds the same cluster again, with its port and password. */
  name: string;
  /** Server settings beyond the defaults, e.g. `{ max_connections: '200' }`; applied at every start. */
  settings?: Record<string, string>;
  /** Turn fsync off: for tests only, where a power cut may cost the data. */
  unsafeFast?: boolean;
  progress?: Progress;
  /** Gives the start up when it comes, and ends what it began; a server that is up by then stays. */
  signal?: AbortSignal;
}

/** A Valkey or Redis server that Souk runs as a process of its own. */
export interface RedisServer {
  /** `redis://:PASSWORD@127.0.0.1:PORT/0`. Holds a secret. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** 'valkey' or 'redis', and its version. */
  readonly kind: 'valkey' | 'redis';
  readonly version: string;
  stop(): Promise<void>;
}

export interface RedisOptions {
  home: string;
  name: string;
  /** Server settings beyond the defaults, e.g. `{ maxmemory: '64mb' }`; applied when the server starts. */
  settings?: Record<string, string>;
  progress?: Progress;
  /** Gives the start up when it comes, and ends what it began; a server that is up by then stays. */
  signal?: AbortSignal;
}

/** PostgreSQL's client tools, all of one version. */
export interface PgClient {
  psql: Command;
  pgDump: Command;
  pgRestore: Command;
  pgBasebackup: Command;
  /** E.g. "17.12". */
  version: string;
}

/** One line of `souk doctor`. */
export interface EngineReport {
  engine: string;
  available: boolean;
  version?: string;
  /** A path, or "can be fetched from Debian". */
  where?: string;
  missing?: Missing;
}
