import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  chmod,
  lchown,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { exists } from './environment.js';
import { errorCode } from './errors.js';
import { canEnter, dropTo, type SystemUser } from './system-user.js';

/** Where root's engines live when their own user cannot reach the home. */
export const SYSTEM_DATA = '/var/lib/souk';

/** A server that has run for months may leave this much, and the start after it begins a new file. */
const LOG_BYTES_MAX = 10_000_000;

/** The folders of one engine. */
export interface Place {
  /** In the home, ours: state, lock, log. */
  folder: string;
  /** Where the engine's data folder is or will be; its user can traverse it. */
  base: string;
  /** Who runs the engine; null is ourselves. */
  user: SystemUser | null;
}

/** Whose a file is to be. */
export type FileOwner = Pick<SystemUser, 'uid' | 'gid'>;

/** Makes a folder, and those above it, that others may traverse, whatever the umask says; secrets are in 0600 files. */
export async function makeOpenFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(folder); made.length >= first.length; made = dirname(made))
    await chmod(made, 0o755);
}

/** Hands a folder that we made in one of our own to the engine's user. */
export async function giveTo(folder: string, user: SystemUser | null): Promise<void> {
  if (user) await lchown(folder, user.uid, user.gid);
}

/** Finds where the engine of that name lives, or settles where it will; once data is there it stays. */
export async function findPlace(engine: string, kind: string, home: string, name: string): Promise<Place> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) throw new Error(`"${name}" cannot name an engine.`);
  await mkdir(home, { recursive: true });
  const root = await realpath(home);
  const folder = join(root, 'engines', kind, name);
  for (const step of [join(root, 'engines'), join(root, 'engines', kind), folder]) await makeOpenFolder(step);

  const elsewhere = await systemBase(root, false);
  const candidates = [folder, ...(elsewhere === null ? [] : [join(elsewhere, kind, name)])];
  for (const base of candidates) {
    const owner = await stat(join(base, 'data')).catch(() => null);
    if (owner) return { folder, base, user: await dropTo(engine, owner.uid) };
  }
  const user = await dropTo(engine);
  if (user === null || (await canEnter(folder, user))) return { folder, base: folder, user };
  const system = (await systemBase(root, true)) ?? SYSTEM_DATA;
  const base = join(system, kind, name);
  await makeOpenFolder(base);
  await replaceFile(join(system, 'home'), `${root}\n`);
  return { folder, base, user };
}

/** Takes away the folders of an engine whose data is gone; others' folders and what is not ours stay. */
export async function removePlace({ folder, base }: Place): Promise<void> {
  await removeEmpty(folder);
  if (base === folder) return;
  await rm(base, { recursive: true, force: true });
  await removeEmpty(dirname(base));
  const system = dirname(dirname(base));
  const left = await readdir(system).catch(() => []);
  if (!left.every((entry) => entry === 'home')) return;
  await rm(join(system, 'home'), { force: true });
  // Not recursively: another engine of this home may begin at this moment.
  await removeEmpty(system);
}

async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? '')) throw error;
  });
}

/** The home's own folder under SYSTEM_DATA. Its name is kept in the home, so a moved home still finds it. */
async function systemBase(home: string, make: boolean): Promise<string | null> {
  const file = join(home, 'engines', 'id');
  if (!(await exists(file))) {
    if (!make) return null;
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    const label =
      basename(home)
        .replace(/[^A-Za-z0-9]+/g, '')
        .slice(0, 20) || 'home';
    await writeFile(draft, `${label}-${randomBytes(6).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    await link(draft, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    await unlink(draft);
  }
  const id = (await readFile(file, 'utf8')).trim();
  if (!/^[A-Za-z0-9-]+$/.test(id)) throw new Error(`${file} is damaged.`);
  const system = join(SYSTEM_DATA, id);
  await refuseCopy(home, id, system);
  return system;
}

/** The folders outside of a home that hold data of its engines, and of homes within it. */
export async function foldersElsewhere(home: string): Promise<string[]> {
  const root = await realpath(home).catch(() => resolve(home));
  const ids = await readdir(SYSTEM_DATA).catch(() => []);
  const owned = await Promise.all(
    ids.map(async (id) => {
      const owner = (await readFile(join(SYSTEM_DATA, id, 'home'), 'utf8').catch(() => '')).trim();
      return owner === root || owner.startsWith(`${root}/`) ? [join(SYSTEM_DATA, id)] : [];
    }),
  );
  return owned.flat();
}

/** A copy of a home must not take over the servers and the data of the one it was copied from. */
async function refuseCopy(home: string, id: string, system: string): Promise<void> {
  // Not there before the first engine has its data.
  const known = (await readFile(join(system, 'home'), 'utf8').catch(() => home)).trim();
  if (known === home) return;
  const other = await readFile(join(known, 'engines', 'id'), 'utf8').catch(() => null);
  if (other?.trim() !== id) return replaceFile(join(system, 'home'), `${home}\n`); // It was moved here.
  const [here, there] = await Promise.all([stat(home), stat(known)]);
  // One folder that is mounted in two places is no copy.
  if (here.dev === there.dev && here.ino === there.ino) return;
  throw new Error(
    `${home} is a copy of ${known}, whose data is in ${system}. Remove ${join(home, 'engines')} to begin anew here.`,
  );
}

/** Reads a state file; null when there is none yet. */
export async function readState<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    if (error instanceof SyntaxError)
      throw new Error(`${file} is damaged. Restore it from a backup.`, { cause: error });
    throw error;
  }
}

/** Replaces a file in one step, so that a crash leaves the old or the new, never half of it. */
export async function replaceFile(file: string, text: string, owner: FileOwner | null = null): Promise<void> {
  const draft = `${file}.${randomBytes(12).toString('hex')}`;
  try {
    await makeFileFor(owner, draft, text);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * Makes a file (0600) for the engine's user, on disk before this resolves. In a folder of that user's he could plant
 * a link at any moment; so nothing may be there before, and what is given away is the opened file, not its name.
 */
export async function makeFileFor(owner: FileOwner | null, file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    if (owner) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Adds to a file that lies in a folder of the engine's user, and follows no link there. */
export async function appendInPlace(file: string, text: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

/** One old log is kept beside the new one; called when no server writes to it. */
export async function rotateLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (entry) => entry.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(file, `${file}.1`);
}

/** The last lines of a log, for an error's text. */
export async function tail(file: string, lines = 8): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
