import { randomUUID } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { errorCode } from './errors.js';
import { startMark, waitFor } from './processes.js';

interface Holder {
  pid: number;
  mark: string | null;
  host: string;
  nonce: string;
}

/** How often a holder shows that it lives, and how long a silent holder on another host is believed. */
const HEARTBEAT_MS = 2_000;
const SILENCE_MS = 30_000;

/** A lock file that is held by somebody who lives. */
export class LockHeld extends Error {
  constructor(
    readonly file: string,
    readonly holder: { pid: number; host: string },
    waitedMs: number,
  ) {
    super(
      `Process ${holder.pid} on ${holder.host} has been at work here for ${waitedMs / 1000} s; it holds ${file}. Wait for it or end it.`,
    );
    this.name = 'LockHeld';
  }
}

/** Runs the work while holding the lock file; other processes wait. */
export async function withLock<T>(file: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const release = await holdLock(file, waitMs);
  try {
    return await work();
  } finally {
    await release();
  }
}

/**
 * Takes the lock file, and gives what lets it go; throws `LockHeld` after `waitMs`. A lock whose holder died is taken
 * over: on this host by process id and start mark, from another host (a container made anew) by its silence.
 */
export async function holdLock(file: string, waitMs: number): Promise<() => Promise<void>> {
  const nonce = randomUUID();
  await waitFor(`the lock ${file}`, waitMs, () => acquire(file, nonce)).catch(async (error: unknown) => {
    const holder = await readHolder(file);
    throw holder === null ? error : new LockHeld(file, holder, waitMs);
  });
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock file that is gone (its home was removed) has nobody left to show a sign of life to.
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    if ((await readHolder(file))?.nonce === nonce) await unlink(file);
  };
}

async function acquire(file: string, nonce: string): Promise<boolean> {
  const mine: Holder = { pid: process.pid, mark: await startMark(process.pid), host: hostname(), nonce };
  const draft = `${file}.${nonce}`;
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    // A link appears with its whole content or not at all, so nobody reads half a lock.
    await link(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const holder = await readHolder(file);
    if (holder && (await isStale(file, holder))) await breakLock(file, holder);
    return false;
  } finally {
    await unlink(draft);
  }
}

/** Nobody can hold it under this nonce: locks appear whole, so only a power cut leaves a damaged one. */
const DAMAGED: Holder = { pid: 0, mark: null, host: '', nonce: '' };

/** Null when there is no lock; throws when it may not be read, for waiting would not help. */
async function readHolder(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    if (error instanceof SyntaxError) return DAMAGED;
    throw error;
  }
}

async function isStale(file: string, holder: Holder): Promise<boolean> {
  if (holder === DAMAGED) return true;
  if (holder.host === hostname()) return (await startMark(holder.pid)) !== holder.mark;
  const age = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  return age > SILENCE_MS;
}

/** Takes the dead holder's file away; when another process was faster, its live lock is put back. */
async function breakLock(file: string, dead: Holder): Promise<void> {
  const aside = `${file}.dead-${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const taken = await readHolder(aside);
  if (taken && taken.nonce !== dead.nonce) {
    await link(aside, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  }
  await unlink(aside);
}
