import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
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

/** Makes a folder, and those above it, that others may traverse, whatever the umask says; secrets are in 0600 files. */
export async function makeOpenFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(folder); made.length >= first.length; made = dirname(made))
    await chmod(made, 0o755);
}

/** Hands a path to the engine's user. */
export async function giveTo(path: string, user: SystemUser | null): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
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
  const base = join((await systemBase(root, true)) ?? SYSTEM_DATA, kind, name);
  await makeOpenFolder(SYSTEM_DATA);
  for (const step of [join(base, '..', '..'), join(base, '..'), base]) await makeOpenFolder(step);
  return { folder, base, user };
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
    await writeFile(draft, `${label}-${randomBytes(6).toString('hex')}\n`, { mode: 0o600 });
    await link(draft, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    await unlink(draft);
  }
  const id = (await readFile(file, 'utf8')).trim();
  if (!/^[A-Za-z0-9-]+$/.test(id)) throw new Error(`${file} is damaged.`);
  return join(SYSTEM_DATA, id);
}

/** Reads a state file; null when there is none yet. */
export async function readState<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Replaces a file in one step, so that a crash leaves the old or the new, never half of it. */
export async function replaceFile(file: string, text: string, user: SystemUser | null = null): Promise<void> {
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await giveTo(draft, user);
  await rename(draft, file);
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
