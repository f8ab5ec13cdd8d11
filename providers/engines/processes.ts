import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { cancellation, uncancelled } from './cancel.js';
import { cleanEnvironment } from './environment.js';
import { errorCode, errorText } from './errors.js';
import type { SystemUser } from './types.js';

/** Output kept of a short-lived child; enough for any message a person will read. */
const OUTPUT_BYTES_MAX = 1_000_000;

export interface RunOptions {
  user?: SystemUser | null;
  env?: Record<string, string>;
  cwd?: string;
  timeoutMs: number;
}

export interface RunResult {
  /** Null when the child could not be started or was killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

function identity(user: SystemUser | null | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {};
}

/** Runs a program to its end or to the time limit, with a clean environment; rejects only when it is cancelled. */
export function run(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  const cancelled = cancellation();
  return new Promise((resolve, reject) => {
    if (cancelled?.aborted) return reject(reasonOf(cancelled));
    const child = spawn(command, args, {
      ...identity(options.user),
      cwd: options.cwd ?? '/',
      env: options.env ?? cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that at the limit its children end with it.
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < OUTPUT_BYTES_MAX) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < OUTPUT_BYTES_MAX) stderr += text;
    });
    const kill = (): void => {
      if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
    };
    const limit = setTimeout(() => {
      stderr += `\nstopped after ${options.timeoutMs} ms`;
      kill();
    }, options.timeoutMs);
    cancelled?.addEventListener('abort', kill);
    const end = (code: number | null): void => {
      clearTimeout(limit);
      cancelled?.removeEventListener('abort', kill);
      if (cancelled?.aborted) reject(reasonOf(cancelled));
      else resolve({ code, stdout, stderr });
    };
    child.once('error', (error) => {
      stderr += errorText(error);
      end(null);
    });
    child.once('close', end);
  });
}

function reasonOf(cancelled: AbortSignal): Error {
  return cancelled.reason instanceof Error ? cancelled.reason : new Error(String(cancelled.reason));
}

export interface Daemon {
  readonly pid: number;
  /** Resolves when it has ended, with how it did: "exit code 1", "signal SIGKILL". */
  readonly end: Promise<string>;
}

/** Starts a server that outlives this process: own session (Ctrl-C does not reach it), output to a log file. */
export function startDaemon(
  command: string,
  args: string[],
  options: { user: SystemUser | null; env: Record<string, string>; cwd: string; logFile: string },
): Promise<Daemon> {
  // The log is opened by us, so it may lie where the server's own user cannot write.
  const log = openSync(options.logFile, 'a', 0o600);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...identity(options.user),
      // Its data folder, so that processesIn() sees it from its first moment.
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', log, log],
      detached: true,
    });
    const end = new Promise<string>((ended) => {
      child.once('exit', (code, killer) => ended(killer === null ? `exit code ${code}` : `signal ${killer}`));
    });
    child.once('error', (error) => {
      closeSync(log);
      reject(error);
    });
    child.once('spawn', () => {
      closeSync(log);
      child.unref();
      const pid = child.pid;
      if (pid === undefined) return reject(new Error(`${command} has no process id`));
      resolve({ pid, end });
    });
  });
}

/** Sends a signal; false when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'EPERM' && name === 0) return true;
    throw error;
  }
}

/** True when the process runs; a zombie that nobody reaps (a container without init) counts as gone. */
export async function isAlive(pid: number): Promise<boolean> {
  if (!signal(pid, 0)) return false;
  return (await statFields(pid))?.[0] !== 'Z';
}

/** Tells two processes with a recycled id apart; null when there is no such process. */
export async function startMark(pid: number): Promise<string | null> {
  if (!(await isAlive(pid))) return null;
  const fields = await statFields(pid);
  // Field 22 of proc(5)'s stat; the list begins at field 3.
  if (fields) return fields[19] ?? null;
  const { code, stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], { timeoutMs: 5_000 });
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}

/** What follows the program's name in /proc/PID/stat (the name itself may hold spaces); null off Linux. */
async function statFields(pid: number): Promise<string[] | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The command line of a process, arguments apart by spaces; empty when there is none. */
export async function commandLine(pid: number): Promise<string> {
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (raw !== null) return raw.replaceAll('\0', ' ').trim();
  return (await run('ps', ['-o', 'command=', '-p', String(pid)], { timeoutMs: 5_000 })).stdout.trim();
}

/** Tested by the kernel's file identity, which sh can ask for. */
const LIST_BY_FOLDER = 'for p in /proc/[0-9]*; do [ "$p/cwd" -ef "$1" ] && echo "${p#/proc/}"; done; :';

/**
 * Ids of the user's processes whose working folder this is, as all of a PostgreSQL cluster have; empty off Linux.
 * Asked as that user, because a container's root may not look at other users' processes.
 */
export async function processesIn(folder: string, user: SystemUser | null): Promise<number[]> {
  const { code, stdout, stderr } = await run('/bin/sh', ['-c', LIST_BY_FOLDER, 'sh', folder], {
    user,
    timeoutMs: 20_000,
  });
  // An empty list permits a start, so it must never come from a failure to look.
  if (code !== 0) throw new Error(`The processes in ${folder} could not be listed: ${stderr.trim()}`);
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Waits until the condition gives a value; throws when the time is over, or when it is cancelled. */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  condition: () => Promise<T | null | false | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  const cancelled = cancellation();
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    cancelled?.throwIfAborted();
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    await delay(pauseMs);
  }
}

/** Asks a process to end and waits; after the limit it is asked harder, and at last killed. */
export function endProcess(pid: number, signals: NodeJS.Signals[], eachMs: number): Promise<void> {
  return uncancelled(async () => {
    for (const name of [...signals, 'SIGKILL' as const]) {
      if (!signal(pid, name)) return;
      const gone = await waitFor(`process ${pid} to end`, eachMs, async () => !(await isAlive(pid))).catch(
        () => false,
      );
      if (gone) return;
    }
    throw new Error(`Process ${pid} does not end.`);
  });
}

/** Kills whatever of the user's works in that folder, and waits until all is gone. */
export async function endAllIn(folder: string, user: SystemUser | null): Promise<void> {
  await uncancelled(() =>
    waitFor(`the processes in ${folder} to end`, 30_000, async () => {
      const pids = await processesIn(folder, user);
      for (const pid of pids) signal(pid, 'SIGKILL');
      return pids.length === 0;
    }),
  );
}

/** Ends the process with that id and start mark; nothing when it is gone or the id is another's now. */
export async function endMarked(
  pid: number,
  mark: string | null,
  signals: NodeJS.Signals[],
  eachMs: number,
): Promise<void> {
  if (mark !== null && (await startMark(pid)) === mark) await endProcess(pid, signals, eachMs);
}
