import { DatabaseUnavailable, type Database, type Session } from './database.js';
import { answers } from './errors.js';
import { Limiter } from './limiter.js';

/**
 * One resource has one request at a time: in this process by waiting in line, among processes by an advisory lock.
 * The work gets the very connection that holds the lock, so whoever lost the lock can no longer write.
 */
export class ResourceLock {
  private readonly lines = new Map<string, Promise<unknown>>();
  private readonly connections: Limiter;

  constructor(
    private readonly database: Database,
    /** So many resources are worked on at once; fewer than the database has connections, which others need, too. */
    atOnceMax: number,
    /** After this wait a request is told to come again. */
    private readonly waitMs: number,
  ) {
    this.connections = new Limiter(atOnceMax, waitMs);
  }

  async hold<T>(uuid: string, work: (session: Session) => Promise<T>): Promise<T> {
    const before = this.lines.get(uuid) ?? Promise.resolve();
    let done: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (done = resolve));
    const line = before.then(() => mine);
    this.lines.set(uuid, line);
    try {
      await withinTime(before, this.waitMs);
      return await this.connections.run(() => this.locked(uuid, work));
    } finally {
      done();
      if (this.lines.get(uuid) === line) this.lines.delete(uuid);
    }
  }

  private async locked<T>(uuid: string, work: (session: Session) => Promise<T>): Promise<T> {
    const outcome = await this.database.session(async (session) => {
      const key = 'hashtextextended($1, 0)';
      // Waits as long as the session's lock time-out allows: a program that was killed lets go in a moment.
      await session.query(`SELECT pg_advisory_lock(${key})`, [uuid]);
      const settled = await settle(() => work(session));
      // A refusal is no reason to lose the connection, but a lost connection has lost the lock with it.
      const [released] = await session.query<{ held: boolean }>(`SELECT pg_advisory_unlock(${key}) AS held`, [
        uuid,
      ]);
      if (released?.held !== true)
        throw new DatabaseUnavailable(new Error('the lock of a resource was lost'));
      return settled;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}

/** Errors of the database itself are thrown on: its connection is of no more use. */
async function settle<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    return { error };
  }
}

async function withinTime(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(answers.busy()), ms);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
