import { Injectable } from '@nestjs/common';
import { Database } from '../../kernel/db/database.js';
import { JobQueue } from '../../kernel/jobs/job-queue.js';

/** Something that must be up before the server takes traffic; rejects, or hangs, while it is not. */
type Check = () => Promise<unknown>;

const CHECK_MS = 2_000;

/** What /health/ready asks. Roots add their own checks, such as the bundled providers'. */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, Check>();
  private stopping = false;

  constructor(db: Database, queue: JobQueue) {
    this.add('database', () => assertMigrated(db));
    this.add('queue', () => queue.ping());
  }

  add(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** From now on nobody should send anything new; what comes all the same is answered, and its connection closed. */
  beginDraining(): void {
    this.stopping = true;
    this.add('draining', () => Promise.reject(new Error('it is stopping')));
  }

  get isDraining(): boolean {
    return this.stopping;
  }

  async report(): Promise<{ ready: boolean; checks: Record<string, string> }> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    return { ready: results.every(([, text]) => text === 'ok'), checks: Object.fromEntries(results) };
  }
}

async function assertMigrated(db: Database): Promise<void> {
  if (await db.source.showMigrations()) throw new Error('migrations are pending');
}

/** Details stay in the log: what is public here says only which part is not up. */
async function outcome(check: Check): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('too slow')), CHECK_MS);
    });
    await Promise.race([check(), late]);
    return 'ok';
  } catch {
    return 'not ready';
  } finally {
    clearTimeout(timer);
  }
}
