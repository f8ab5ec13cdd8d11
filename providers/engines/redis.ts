import { randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { cancellable, cancellation } from './cancel.js';
import { exists, refuseDisabled } from './environment.js';
import { withLock } from './lock.js';
import { findPlace, giveTo, type Place, readState, replaceFile, rotateLog, tail } from './place.js';
import { freePort, isPortFree } from './ports.js';
import { endMarked, endProcess, isAlive, processesIn, startDaemon, startMark, waitFor } from './processes.js';
import { findRedisPrograms, type RedisPrograms } from './redis-programs.js';
import type { RedisOptions, RedisServer } from './types.js';

/** Kept in the home in a 0600 file, so that any later process finds the server again. */
interface RedisState {
  port: number;
  password: string;
  /** The process last started, and what tells it from a later one with the same id. */
  pid: number | null;
  mark: string | null;
  initialised: boolean;
}

/** A big append-only file takes its time to load. */
const READY_MS = 300_000;
const LOCK_MS = READY_MS + 660_000;
const STOP_MS = 60_000;
const PORT_ATTEMPTS = 5;

interface Server {
  options: RedisOptions;
  place: Place;
  data: string;
  stateFile: string;
  configFile: string;
  logFile: string;
  lockFile: string;
}

/** Starts the server of that name, or adopts it when it already runs; safe to call from several processes. */
export function startRedis(options: RedisOptions): Promise<RedisServer> {
  return cancellable(options.signal, () => start(options));
}

async function start(options: RedisOptions): Promise<RedisServer> {
  refuseDisabled('valkey');
  const place = await findPlace('valkey', 'redis', options.home, options.name);
  const server: Server = {
    options,
    place,
    data: join(place.base, 'data'),
    stateFile: join(place.folder, 'state.json'),
    configFile: join(place.base, 'data', 'souk.conf'),
    logFile: join(place.folder, 'server.log'),
    lockFile: join(place.folder, 'lock'),
  };
  return withLock(server.lockFile, LOCK_MS, async () => {
    const state = await prepareState(server);
    const pid = await findProcess(server, state);
    const running = pid === null ? null : await waitUntilReady(server, state, pid);
    if (running) return running;
    const programs = await findRedisPrograms(options.home, place.user, options.progress ?? (() => undefined));
    return launch(server, state, programs);
  });
}

async function prepareState(server: Server): Promise<RedisState> {
  const known = await readState<RedisState>(server.stateFile);
  const present = await exists(server.data);
  if (known?.initialised && !present) {
    throw new Error(
      `The data folder ${server.data} is gone. Restore it, or remove ${server.place.folder} to begin anew.`,
    );
  }
  const state = known ?? {
    port: await freePort(),
    password: randomBytes(24).toString('hex'),
    pid: null,
    mark: null,
    initialised: false,
  };
  if (!present) await mkdir(server.data, { mode: 0o700 });
  if (!state.initialised) {
    await giveTo(server.data, server.place.user);
    await saveState(server, Object.assign(state, { initialised: true }));
  }
  const ours = server.place.user?.uid ?? process.getuid?.();
  const { uid } = await stat(server.data);
  if (ours !== undefined && uid !== ours) {
    throw new Error(`${server.data} belongs to user id ${uid}; start Souk as that user or as root.`);
  }
  return state;
}

async function saveState(server: Server, state: RedisState): Promise<void> {
  await replaceFile(server.stateFile, `${JSON.stringify(state, null, 2)}\n`);
}

/** The server's process: the one we wrote down, or one whose starter died before it could; null when none runs. */
async function findProcess(server: Server, state: RedisState): Promise<number | null> {
  if (state.pid !== null && state.mark !== null && (await startMark(state.pid)) === state.mark)
    return state.pid;
  const { pid } = await waitFor(`the processes in ${server.data}`, READY_MS, async () => {
    const pids = await processesIn(server.data, server.place.user);
    for (const pid of pids) {
      if ((await ask(state, pid)) !== null) return { pid };
    }
    // Others may be here for a moment: the orphaned child of a killed server, writing its file.
    return pids.length === 0 ? { pid: null } : null;
  });
  return pid;
}

/** The password is in this 0600 file, never on the command line, which everyone can read. */
function renderConfig(server: Server, state: RedisState): string {
  const settings: Record<string, string> = {
    // BullMQ and a customer's data both forbid silent eviction.
    'maxmemory-policy': 'noeviction',
    save: '',
    appendonly: 'yes',
    ...server.options.settings,
    // The dash: a machine without IPv6 does without.
    bind: '127.0.0.1 -::1',
    'protected-mode': 'yes',
    port: String(state.port),
    requirepass: state.password,
    daemonize: 'no',
    supervised: 'no',
    logfile: '',
    dir: server.data,
  };
  return Object.entries(settings)
    .map(([key, value]) => line(key, value))
    .join('');
}

function line(key: string, value: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(key)) throw new Error(`"${key}" is no name of a Redis setting.`);
  if (/[\n\r\0]/.test(value)) throw new Error('A Redis setting has to fit on one line.');
  // A few settings take several words (bind, client-output-buffer-limit); a path may hold a space.
  const words = key === 'dir' || value === '' ? [value] : value.split(' ');
  return `${key} ${words.map((word) => `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(' ')}\n`;
}

async function launch(server: Server, state: RedisState, programs: RedisPrograms): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    if (!(await isPortFree(state.port))) state.port = await freePort();
    // Before the server runs: should we die right after, its port is known all the same.
    await saveState(server, state);
    await replaceFile(server.configFile, renderConfig(server, state), server.place.user);
    const { command, args, env } = programs.server;
    await rotateLog(server.logFile);
    const daemon = await startDaemon(command, [...args, server.configFile], {
      user: server.place.user,
      env,
      cwd: server.data,
      logFile: server.logFile,
    });
    Object.assign(state, { pid: daemon.pid, mark: await startMark(daemon.pid) });
    await saveState(server, state);
    try {
      const ready = await waitUntilReady(server, state, daemon.pid);
      if (ready) return ready;
      throw new Error(`Redis ended with ${await daemon.end}. Its log says:\n${await tail(server.logFile)}`);
    } catch (error) {
      await endProcess(daemon.pid, ['SIGTERM'], STOP_MS);
      // Somebody took the port between our look and the server's: another port, another try.
      const tryAgain = attempt < PORT_ATTEMPTS && cancellation()?.aborted !== true;
      if (tryAgain && !(await isPortFree(state.port))) continue;
      throw error;
    }
  }
}

/** Waits until the server answers with our password and gives this process id as its own; null when it ends. */
async function waitUntilReady(server: Server, state: RedisState, pid: number): Promise<RedisServer | null> {
  const { found } = await waitFor(`Redis in ${server.data}`, READY_MS, async () => {
    if (!(await isAlive(pid))) return { found: null };
    const answer = await ask(state, pid);
    return answer && { found: answer };
  });
  if (found === null) return null;
  const mark = await startMark(pid);
  return {
    url: url(state),
    port: state.port,
    pid,
    ...found,
    stop: async () => {
      // Somebody removed the home below a running server: without a lock, but not without an end.
      if (!(await exists(server.place.folder))) return endMarked(pid, mark, ['SIGTERM'], STOP_MS);
      await withLock(server.lockFile, LOCK_MS, async () => {
        const current = await readState<RedisState>(server.stateFile);
        const process = current && (await findProcess(server, current));
        // On SIGTERM it writes what is due to the append-only file, then ends.
        if (process !== null) await endProcess(process, ['SIGTERM'], STOP_MS);
      });
    },
  };
}

/** Null while it does not answer yet: it is starting, or loading its file. */
async function ask(state: RedisState, pid: number): Promise<Pick<RedisServer, 'kind' | 'version'> | null> {
  const client = new Redis(url(state), {
    lazyConnect: true,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The failed call tells the same; without a listener ioredis prints it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    // Answered while a file is still loading, too; its "loading" line says so.
    const info = await client.info();
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    if (Number(field('process_id')) !== pid || field('loading') !== '0') return null;
    const valkey = field('valkey_version');
    return valkey === undefined
      ? { kind: 'redis', version: field('redis_version') ?? '' }
      : { kind: 'valkey', version: valkey };
  } catch {
    // No answer, or not one to our password: it is not (yet) the server we look for.
    return null;
  } finally {
    client.disconnect();
  }
}

function url(state: RedisState): string {
  return `redis://:${state.password}@127.0.0.1:${state.port}/0`;
}
