import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { errorText } from './errors.js';
import { run } from './processes.js';
import { EngineUnavailable, type SystemUser } from './types.js';

export type { SystemUser };

/** Preferred first. Each must be in passwd: PostgreSQL refuses to run under an id without a name. */
const UNPRIVILEGED = ['souk', 'postgres', 'nobody'];

async function passwd(): Promise<SystemUser[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** True when this process may become another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The user that an engine runs as: null means our own. Root never runs an engine: PostgreSQL refuses, and a
 * customer's Redis has no business with root's rights. `ownerUid` keeps to whoever owns the data already.
 */
export async function dropTo(engine: string, ownerUid?: number): Promise<SystemUser | null> {
  if (!isRoot()) return null;
  const users = (await passwd()).filter((user) => user.uid !== 0);
  const owned = ownerUid !== undefined && ownerUid !== 0;
  const user = owned
    ? users.find(({ uid }) => uid === ownerUid)
    : UNPRIVILEGED.map((name) => users.find((entry) => entry.name === name)).find(Boolean);
  if (!user && owned) {
    throw new EngineUnavailable({
      engine,
      why: `Its data belongs to user id ${ownerUid}, which /etc/passwd does not know.`,
      fix: `Give that id a name: useradd --system --uid ${ownerUid} souk`,
    });
  }
  if (!user) {
    throw new EngineUnavailable({
      engine,
      why: `Root does not run servers, and there is no unprivileged user (${UNPRIVILEGED.join(', ')}) to run it as.`,
      fix: 'Run: useradd --system souk',
    });
  }
  const probe = await run('/bin/sh', ['-c', ':'], { user, timeoutMs: 5_000 });
  if (probe.code !== 0) {
    throw new EngineUnavailable({
      engine,
      why: `Root does not run servers, and becoming the user ${user.name} failed (${probe.stderr.trim()}).`,
      fix: 'Start Souk as an ordinary user.',
    });
  }
  return user;
}

/** Throws EngineUnavailable where our own user has no name, which PostgreSQL's programs insist on. */
export function requireNamedUser(engine: string): void {
  try {
    userInfo();
  } catch (error) {
    throw new EngineUnavailable({
      engine,
      why: `This process runs under a user id that /etc/passwd does not know (${errorText(error)}).`,
      fix: 'Give the user an entry in /etc/passwd, or start Souk as another user.',
    });
  }
}

/** True when the user (null: ourselves) can step into the folder. Asked of the kernel, so ACLs count too. */
export async function canEnter(folder: string, user: SystemUser | null): Promise<boolean> {
  const { code } = await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { user, timeoutMs: 5_000 });
  return code === 0;
}

/** True when the user (null: ourselves) may read and execute the file. */
export async function canRun(file: string, user: SystemUser | null): Promise<boolean> {
  const { code } = await run('/bin/sh', ['-c', '[ -r "$1" ] && [ -x "$1" ]', 'sh', file], {
    user,
    timeoutMs: 5_000,
  });
  return code === 0;
}
