import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, DatabaseError } from 'pg';
import { cancellable, cancellation } from './cancel.js';
import { cleanEnvironment, exists, refuseDisabled } from './environment.js';
import { errorCode } from './errors.js';
import { withLock } from './lock.js';
import {
  appendInPlace,
  findPlace,
  giveTo,
  makeFileFor,
  type Place,
  readState,
  replaceFile,
  rotateLog,
  tail,
} from './place.js';
import { freePort, isPortFree } from './ports.js';
import { renderConfig } from './postgres-config.js';
import { findPostgresPrograms, type PostgresPrograms } from './postgres-programs.js';
import {
  commandLine,
  endAllIn,
  endMarked,
  endProcess,
  isAlive,
  processesIn,
  run,
  signal,
  startDaemon,
  startMark,
  waitFor,
} from './processes.js';
import { requireNamedUser } from './system-user.js';
import type { PostgresCluster, PostgresOptions } from './types.js';

/** Kept in the home in a 0600 file, so that any later process finds the cluster again. */
interface ClusterState {
  port: number;
  password: string;
  /** True once initdb's work is in place: from then on a missing data folder is a loss, not a first start. */
  initialised: boolean;
}

/** Recovery of a big cluster after a crash takes minutes, and is worth waiting for. */
const READY_MS = 300_000;
const LOCK_MS = READY_MS + 60_000;
const STOP_MS = 60_000;
const PORT_ATTEMPTS = 5;

/** Everything one start works on. */
interface Cluster {
  options: PostgresOptions;
  place: Place;
  data: string;
  stateFile: string;
  logFile: string;
  lockFile: string;
}

/** Starts the cluster of that name, or adopts it when it already runs; safe to call from several processes. */
export function startPostgres(options: PostgresOptions): Promise<PostgresCluster> {
  return cancellable(options.signal, () => start(options));
}

async function start(options: PostgresOptions): Promise<PostgresCluster> {
  refuseDisabled('postgresql');
  requireNamedUser('postgresql');
  const cluster = await locate(options);
  return withLock(cluster.lockFile, LOCK_MS, async () => {
    const state = await prepareState(cluster);
    await checkOwner(cluster);
    const running = await adopt(cluster, state);
    if (running) return running;
    await clearAway(cluster);
    const programs = await findPostgresPrograms(
      options.home,
      cluster.place.user,
      await majorOnDisk(cluster.data),
      options.progress ?? (() => undefined),
    );
    await initialise(cluster, state, programs);
    return launch(cluster, state, programs);
  });
}

/** The port of a cluster, whether it runs or not; null before its first start. */
export async function postgresPort(options: PostgresOptions): Promise<number | null> {
  const { stateFile } = await locate(options);
  return (await readState<ClusterState>(stateFile))?.port ?? null;
}

/** The next start of a cluster that does not run begins with this port. */
export async function setPostgresPort(options: PostgresOptions, port: number): Promise<void> {
  const cluster = await locate(options);
  await withLock(cluster.lockFile, LOCK_MS, async () => {
    const state = await readState<ClusterState>(cluster.stateFile);
    if (state === null)
      throw new Error(`${cluster.stateFile} is gone, and with it the password of its cluster.`);
    await saveState(cluster, { ...state, port });
  });
}

async function locate(options: PostgresOptions): Promise<Cluster> {
  const place = await findPlace('postgresql', 'postgres', options.home, options.name);
  return {
    options,
    place,
    data: join(place.base, 'data'),
    stateFile: join(place.folder, 'state.json'),
    logFile: join(place.folder, 'server.log'),
    lockFile: join(place.folder, 'lock'),
  };
}

async function prepareState(cluster: Cluster): Promise<ClusterState> {
  const present = await exists(cluster.data);
  const known = await readState<ClusterState>(cluster.stateFile);
  if (known === null) {
    if (present)
      throw new Error(`${cluster.data} holds a cluster, but its password in ${cluster.stateFile} is gone.`);
    const fresh = { port: await freePort(), password: randomBytes(24).toString('hex'), initialised: false };
    await saveState(cluster, fresh);
    return fresh;
  }
  if (known.initialised && !present) {
    throw new Error(
      `The data folder ${cluster.data} is gone. Restore it, or remove ${cluster.place.folder} to begin anew.`,
    );
  }
  return known;
}

async function saveState(cluster: Cluster, state: ClusterState): Promise<void> {
  await replaceFile(cluster.stateFile, `${JSON.stringify(state, null, 2)}\n`);
}

/** PostgreSQL's own message on a foreign data folder does not say whose it is. */
async function checkOwner(cluster: Cluster): Promise<void> {
  const owner = await stat(cluster.data).catch(() => null);
  const ours = cluster.place.user?.uid ?? process.getuid?.();
  if (owner === null || ours === undefined || owner.uid === ours) return;
  throw new Error(`${cluster.data} belongs to user id ${owner.uid}; start Souk as that user or as root.`);
}

/** What postmaster.pid says of the server. */
interface Postmaster {
  pid: number;
  ready: boolean;
  /** The first address it could listen on. */
  address: string;
}

/** Its lines: process id, data folder, start time, port, socket folder, address, shared memory, status. */
async function readPidFile(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0
    ? { pid, ready: lines[7] === 'ready', address: lines[5] ?? '' }
    : null;
}

/** The postmaster of this data folder; null when the id in its pid file is dead or now another program's. */
async function findPostmaster(data: string): Promise<Postmaster | null> {
  const file = await readPidFile(data);
  if (file === null || !(await isAlive(file.pid))) return null;
  // As launch() started it: the folder is the last argument.
  return (await commandLine(file.pid)).endsWith(` -D ${data}`) ? file : null;
}

async function adopt(cluster: Cluster, state: ClusterState): Promise<PostgresCluster | null> {
  const found = (await exists(cluster.data)) ? await findPostmaster(cluster.data) : null;
  if (found === null) return null;
  // It may be on its way out: killed, or shut down by whoever left it. Then a new one is started.
  const ready = await waitUntilReady(cluster, state, found.pid);
  if (ready === null) return null;
  // Settings are applied at every start, an adoption included; those that need a restart wait for the next one.
  if (await writeConfig(cluster, state.port)) signal(ready.pid, 'SIGHUP');
  return present(cluster, state, ready, true);
}

/** Takes away what a crash left: half-made data folders, backends without a postmaster, a recycled pid file. */
async function clearAway(cluster: Cluster): Promise<void> {
  for (const entry of await readdir(cluster.place.base)) {
    if (!entry.startsWith('data.new-')) continue;
    const draft = join(cluster.place.base, entry);
    // An initdb outlives the Souk that was killed, and would write into what is being removed.
    await endAllIn(draft, cluster.place.user);
    await rm(draft, { recursive: true, force: true });
  }
  if (!(await exists(cluster.data))) return;
  const orphansGone = async (): Promise<boolean> =>
    (await processesIn(cluster.data, cluster.place.user)).length === 0;
  if (!(await waitFor('orphaned backends to end', 5_000, orphansGone).catch(() => false))) {
    // The cluster recovers from its log in any case, so nothing is lost with a busy orphan.
    await endAllIn(cluster.data, cluster.place.user);
  }
  const stale = await readPidFile(cluster.data);
  // PostgreSQL takes a dead id away itself, but refuses to start where the id is a zombie or now another program.
  if (stale && signal(stale.pid, 0)) await unlink(join(cluster.data, 'postmaster.pid'));
}

async function majorOnDisk(data: string): Promise<number | null> {
  const text = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  return text === null ? null : Number.parseInt(text, 10);
}

async function initialise(cluster: Cluster, state: ClusterState, programs: PostgresPrograms): Promise<void> {
  const { place, options } = cluster;
  if (!(await exists(cluster.data))) {
    options.progress?.(`Making a PostgreSQL ${programs.version} cluster`);
    // Made aside and renamed, so that a data folder is always a whole one.
    const draft = join(place.base, `data.new-${randomBytes(6).toString('hex')}`);
    const passwordFile = `${draft}.password`;
    await mkdir(draft, { mode: 0o700 });
    await giveTo(draft, place.user);
    await makeFileFor(place.user, passwordFile, state.password);
    try {
      await runInitdb(cluster, programs, draft, passwordFile);
    } catch (error) {
      await rm(draft, { recursive: true });
      throw error;
    } finally {
      await rm(passwordFile);
    }
    await appendInPlace(join(draft, 'postgresql.conf'), "\ninclude_if_exists = 'souk.conf'\n");
    await rename(draft, cluster.data);
  }
  if (!state.initialised) await saveState(cluster, Object.assign(state, { initialised: true }));
}

async function runInitdb(
  { options, place }: Cluster,
  programs: PostgresPrograms,
  folder: string,
  passwordFile: string,
): Promise<void> {
  const { code, stdout, stderr } = await run(
    join(programs.bin, 'initdb'),
    [
      ...['-D', folder, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...localeArguments(programs.major),
      ...(options.unsafeFast ? ['--no-sync'] : []),
    ],
    { user: place.user, cwd: folder, timeoutMs: 300_000 },
  );
  if (code !== 0) throw new Error(`initdb failed: ${stderr.trim() || stdout.trim()}`);
}

/** PostgreSQL's own collation (17 and later) is the same on every system; macOS has no C.UTF-8 of its own. */
function localeArguments(major: number): string[] {
  const system = process.platform === 'linux' ? 'C.UTF-8' : 'C';
  const builtin = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  return ['--encoding=UTF8', `--locale=${system}`, ...builtin];
}

/** Writes souk.conf; false when it was so already. */
async function writeConfig(cluster: Cluster, port: number): Promise<boolean> {
  const file = join(cluster.data, 'souk.conf');
  const text = renderConfig(port, cluster.options.settings ?? {}, cluster.options.unsafeFast ?? false);
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return false;
  await replaceFile(file, text, cluster.place.user);
  return true;
}

async function launch(
  cluster: Cluster,
  state: ClusterState,
  programs: PostgresPrograms,
): Promise<PostgresCluster> {
  for (let attempt = 1; ; attempt++) {
    if (!(await isPortFree(state.port))) {
      await saveState(cluster, Object.assign(state, { port: await freePort() }));
    }
    await writeConfig(cluster, state.port);
    await rotateLog(cluster.logFile);
    const daemon = await startDaemon(join(programs.bin, 'postgres'), ['-D', cluster.data], {
      user: cluster.place.user,
      env: cleanEnvironment({ HOME: cluster.data }),
      cwd: cluster.data,
      logFile: cluster.logFile,
    });
    try {
      const ready = await waitUntilReady(cluster, state, daemon.pid);
      if (ready) return await present(cluster, state, ready, false);
      throw new Error(
        `PostgreSQL ended with ${await daemon.end}. Its log says:\n${await tail(cluster.logFile)}`,
      );
    } catch (error) {
      await endProcess(daemon.pid, ['SIGINT', 'SIGQUIT'], STOP_MS);
      // Somebody took the port between our look and the server's: another port, another try.
      const tryAgain = attempt < PORT_ATTEMPTS && cancellation()?.aborted !== true;
      if (tryAgain && !(await isPortFree(state.port))) continue;
      throw error;
    }
  }
}

/** Waits until the server answers with our password and names this data folder as its own; null when it ends. */
async function waitUntilReady(
  cluster: Cluster,
  state: ClusterState,
  pid: number,
): Promise<{ pid: number; version: string } | null> {
  const { version } = await waitFor(`PostgreSQL in ${cluster.data}`, READY_MS, async () => {
    if (!(await isAlive(pid))) return { version: null };
    const postmaster = await findPostmaster(cluster.data);
    if (!postmaster?.ready) return null;
    if (postmaster.address !== '127.0.0.1') {
      // It starts with what it gets: on ::1 alone when another program was faster on 127.0.0.1.
      await endProcess(pid, ['SIGINT', 'SIGQUIT'], STOP_MS);
      return { version: null };
    }
    const answer = await askVersion(cluster, state);
    return answer === null ? null : { version: answer };
  });
  return version === null ? null : { pid, version };
}

/** It starts up or shuts down; it is being shut down; all its connections are taken at this moment. */
const NOT_YET = ['57P03', '57P01', '53300'];

async function askVersion(cluster: Cluster, state: ClusterState): Promise<string | null> {
  const client = new Client({
    connectionString: adminUrl(state),
    connectionTimeoutMillis: 5_000,
    ssl: false,
  });
  // An error after the answer (a shutdown from elsewhere) must not end our process.
  client.on('error', () => undefined);
  let row: { folder: string; version: string } | undefined;
  try {
    await client.connect();
    row = (
      await client.query<{ folder: string; version: string }>(
        `SELECT current_setting('data_directory') AS folder, current_setting('server_version') AS version`,
      )
    ).rows[0];
  } catch (error) {
    // What the server itself answered is final, but for "not yet"; a slow or broken connection is no answer.
    if (error instanceof DatabaseError && !NOT_YET.includes(error.code ?? '')) throw error;
    return null;
  } finally {
    // Nothing more is wanted of a connection that broke already.
    await client.end().catch(() => undefined);
  }
  if (!row || (await realpath(row.folder)) !== (await realpath(cluster.data))) {
    throw new Error(`Port ${state.port} belongs to another cluster than ${cluster.data}.`);
  }
  return row.version.split(' ')[0] ?? row.version;
}

function adminUrl(state: ClusterState): string {
  return `postgres://postgres:${state.password}@127.0.0.1:${state.port}/postgres`;
}

async function present(
  cluster: Cluster,
  state: ClusterState,
  { pid, version }: { pid: number; version: string },
  adopted: boolean,
): Promise<PostgresCluster> {
  const mark = await startMark(pid);
  return {
    adminUrl: adminUrl(state),
    host: '127.0.0.1',
    port: state.port,
    dataFolder: cluster.data,
    version,
    pid,
    adopted,
    stop: async () => {
      // Somebody removed the home below a running server: without a lock, but not without an end.
      if (!(await exists(cluster.place.folder))) return endMarked(pid, mark, ['SIGINT', 'SIGQUIT'], STOP_MS);
      await withLock(cluster.lockFile, LOCK_MS, async () => {
        const postmaster = await findPostmaster(cluster.data);
        // SIGINT is the fast shutdown: sessions are ended, nothing is lost.
        if (postmaster) await endProcess(postmaster.pid, ['SIGINT', 'SIGQUIT'], STOP_MS);
      });
    },
  };
}
