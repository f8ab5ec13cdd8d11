import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CrashPoints } from '../crash-points.js';
import { Database } from '../db/database.js';
import { Notifications } from '../db/notifications.js';
import { JobQueue } from '../jobs/job-queue.js';
import { LOGGER, type Logger } from '../log.js';

const BATCH_ROWS_MAX = 200;
/** A notice may be missed while the connection is down; this bounds the delay. */
const POLL_MS = 1_000;

interface OutboxRow {
  id: string;
  job: string;
  payload: unknown;
}

/** Moves outbox rows to the queue: woken by PostgreSQL's NOTIFY, and by a slow poll in case one was missed. */
@Injectable()
export class Relay implements BeforeApplicationShutdown {
  private stopping = false;
  private loop: Promise<void> | null = null;
  private wake: () => void = () => undefined;
  /** Set by a notice that came while a batch was on its way, so that it is not slept over. */
  private woken = false;

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly db: Database,
    private readonly notifications: Notifications,
    private readonly queue: JobQueue,
    private readonly crashPoints: CrashPoints,
  ) {}

  start(): void {
    const wake = () => {
      this.woken = true;
      this.wake();
    };
    this.notifications.listen('souk_outbox', { onNotice: wake, onGap: wake });
    this.loop ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.loop;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /**
   * Moves one batch; the number of rows moved. The queue is told before the rows are deleted: a crash between
   * repeats the add, which the job id absorbs while the queue remembers it, and the idempotent handler after that.
   */
  async moveBatch(): Promise<number> {
    return this.db.round('relay.move', async (tx) => {
      const rows: OutboxRow[] = await tx.query(
        'SELECT id, job, payload FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED',
        [BATCH_ROWS_MAX],
      );
      if (rows.length === 0) return 0;
      await this.queue.add(
        rows.map((row) => ({ id: `outbox-${row.id}`, name: row.job, payload: row.payload })),
      );
      this.crashPoints.reach('relay.move.after_add');
      await tx.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [rows.map((row) => row.id)]);
      return rows.length;
    });
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const moved = await this.moveBatch();
        if (moved === BATCH_ROWS_MAX) continue;
      } catch (error) {
        this.log.warn({ err: error instanceof Error ? error.message : error }, 'the relay will try again');
      }
      await this.sleep();
    }
  }

  private sleep(): Promise<void> {
    if (this.stopping || this.woken) {
      this.woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        // Nobody sleeps from here on: a notice that comes meanwhile only leaves its mark.
        this.wake = () => undefined;
        this.woken = false;
        resolve();
      };
      const timer = setTimeout(end, POLL_MS);
      this.wake = end;
    });
  }
}
