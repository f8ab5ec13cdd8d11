import { DatabaseUnavailable, type Database, type Session } from './database.js';
import { answers } from './errors.js';

/**
 * One resource has one request at a time: in this process by waiting in line, among processes by an advisory lock.
 * The work gets the very connection that holds the lock, so whoever lost the lock can no longer write.
 */
export class ResourceLock {
  private readonly lines = new Map<string, Promise<unknown>>();

  constructor(
    private readonly database: Database,
    /** After this wait a request is told to come again. */
    private readonly waitMs: number,
  ) {}

  async hold<T>(uuid: string, work: (session: Session) => Promise<T>): Promise<T> {
    const before = this.lines.get(uuid) ?? Promise.resolve();
    let done: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (done = resolve));
    const line = before.then(() => mine);
    this.lines.set(uuid, line);
    try {
      await withinTime(before, this.waitMs);
      return await this.locked(uuid, work);
    } finally {
      done();
      if (this.lines.get(uuid) === line) this.lines.delete(uuid);
    }
  }

  private locked<T>(uuid: string, work: (session: Session) => Promise<T>): Promise<T> {
    return this.database.session(async (session) => {
      const key = 'hashtextextended($1, 0)';
      const [row] = await session.query<{ held: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS held`, [
        uuid,
      ]);
      if (row?.held !== true) throw answers.busy();
      const value = await work(session);
      const [released] = await session.query<{ held: boolean }>(`SELECT pg_advisory_unlock(${key}) AS held`, [
        uuid,
      ]);
      if (released?.held !== true)
        throw new DatabaseUnavailable(new Error('the lock of a resource was lost'));
      return value;
    });
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
