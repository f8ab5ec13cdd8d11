import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { exists, findProgram } from './environment.js';
import { findPlace, SYSTEM_DATA } from './place.js';
import { endAllIn, processesIn } from './processes.js';
import { removeEngine } from './remove.js';
import { makeCheckout, removeCheckout } from './spec-checkout.js';
import { dropTo, isRoot, type SystemUser } from './system-user.js';

export interface ProcessOptions {
  /** Null: as we are. */
  user?: SystemUser | null;
  env?: Record<string, string>;
  /** A folder of makeCheckout(); one for ourselves when absent. */
  checkout?: string;
}

/** Makes homes and the programs of other processes for a spec file, and takes everything away after it. */
export class Workbench {
  private readonly folders: string[] = [];
  private readonly checkouts: string[] = [];
  private readonly children: ChildProcess[] = [];
  private ours: string | null = null;

  /** A new folder, to be a home; with mode 0700, as root's is, or open to be traversed. */
  async home(mode: number, owner: SystemUser | null = null): Promise<string> {
    const home = await mkdtemp(join(await realpath(tmpdir()), 'souk-engines-'));
    await chmod(home, mode);
    if (owner) await chown(home, owner.uid, owner.gid);
    this.folders.push(home);
    return home;
  }

  /** A checkout with copies of the packages that the engines need: closed to all but us, or readable by all. */
  async checkout(access: 'closed' | 'read-only'): Promise<string> {
    const folder = await this.home(access === 'closed' ? 0o700 : 0o755);
    this.checkouts.push(folder);
    await makeCheckout(folder, access);
    return folder;
  }

  /** Runs a module that can import './index.js' as another process; gives its child and its first line of output. */
  async otherProcess(source: string, options: ProcessOptions = {}): Promise<[ChildProcess, string]> {
    const checkout = options.checkout ?? (this.ours ??= await this.ownCheckout());
    const script = join(checkout, 'engines', `script-${this.children.length}.js`);
    await writeFile(script, source, { mode: 0o644 });
    const child = spawn(process.execPath, [script], {
      ...(options.user ? { uid: options.user.uid, gid: options.user.gid } : {}),
      cwd: '/',
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.children.push(child);
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child
        .once('error', reject)
        .once('exit', (code) => reject(new Error(`it ended with ${code}, saying nothing`)));
    });
    return [child, line];
  }

  /** For processes that run as we do: the same node_modules by a link. */
  private async ownCheckout(): Promise<string> {
    const folder = await this.home(0o700);
    await makeCheckout(folder, 'linked');
    return folder;
  }

  async clear(): Promise<void> {
    for (const child of this.children.splice(0)) await killed(child);
    for (const folder of this.checkouts.splice(0)) await removeCheckout(folder);
    for (const folder of this.folders.splice(0)) {
      const id = await readFile(join(folder, 'engines/id'), 'utf8').catch(() => null);
      for (const kind of ['postgres', 'redis'] as const) {
        for (const name of await readdir(join(folder, 'engines', kind)).catch(() => [])) {
          await removeWhatIsLeft(folder, kind, name);
        }
      }
      if (id !== null) await rm(join(SYSTEM_DATA, id.trim()), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    }
    this.ours = null;
  }
}

/** Waits for a child's end; gives its exit code, null where a signal ended it. */
export async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Kills a child as nothing else can, and waits for its end. */
export async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await endOf(child);
}

/** A spec that failed in the middle may have left a server. */
async function removeWhatIsLeft(home: string, kind: 'postgres' | 'redis', name: string): Promise<void> {
  const { base, user } = await findPlace(kind, kind, home, name);
  await endAllIn(join(base, 'data'), user);
  await removeEngine({ home, kind, name });
}

/** Runs the work with other environment variables (undefined: without), and puts the old ones back. */
export async function withEnvironment<T>(
  changes: Record<string, string | undefined>,
  work: () => Promise<T>,
): Promise<T> {
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(changes)) set(name, value);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** Who can start Souk here: root and an ordinary user where we are root, else we ourselves, an ordinary user. */
export async function kindsOfUser(): Promise<Array<{ kind: 'root' | 'ordinary'; user: SystemUser | null }>> {
  if (!isRoot()) return [{ kind: 'ordinary', user: null }];
  return [
    { kind: 'root', user: null },
    { kind: 'ordinary', user: await dropTo('test') },
  ];
}

/** Fills a folder with links to the few programs that a bare machine's PATH is sure to hold. */
export async function makeBarePath(folder: string): Promise<void> {
  const apt = ['apt', 'apt-get', 'apt-cache', 'apt-config', 'dpkg', 'dpkg-deb', 'dpkg-query'];
  for (const name of ['sh', 'npm', ...apt]) {
    const program = await findProgram(name);
    if (program !== null) await symlink(program, join(folder, name));
  }
  await symlink(process.execPath, join(folder, 'node'));
}

/** Root's servers run as somebody else, everyone else's as themselves. */
export async function assertUnprivileged(pid: number): Promise<void> {
  const { uid } = await stat(`/proc/${pid}`);
  const own = process.getuid?.();
  if (own === 0) assert.notEqual(uid, 0);
  else assert.equal(uid, own);
}

/** How many processes work in a data folder, as the engines' own user sees it. */
export async function countProcesses(folder: string): Promise<number> {
  if (!(await exists(folder))) return 0;
  const { uid } = await stat(folder);
  return (await processesIn(folder, await dropTo('test', uid))).length;
}

/** True when somebody has a connection to that port of 127.0.0.1; the kernel makes it, the server may sleep. */
export async function isConnectedTo(port: number): Promise<boolean> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  // proc_net_tcp(5): local address, remote address, state 01 for an established connection.
  return new RegExp(` [0-9A-F]{8}:[0-9A-F]{4} 0100007F:${hexPort} 01 `).test(
    await readFile('/proc/net/tcp', 'utf8'),
  );
}

/** The permission bits of a path. */
export async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}
