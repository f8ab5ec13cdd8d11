import type { Clock } from './clock.js';
import type { Queryable } from './database.js';

/**
 * Where a creation stands that was answered with 202:
 * `create` → `report`, or, when it is refused or never ends, `create` → `undo` → `report-failure`.
 */
export type WorkStage = 'create' | 'report' | 'undo' | 'report-failure';

/** Work that was promised to the platform and is not finished. */
export interface PendingWork {
  uuid: string;
  stage: WorkStage;
  attempts: number;
  deadlineAt: Date;
}

/** Every query on the table of promised work. */
export class PendingWorkStore {
  constructor(private readonly clock: Clock) {}

  /** In the transaction that stores the intent: what was answered with 202 is never forgotten. */
  async add(tx: Queryable, uuid: string, deadlineMs: number): Promise<void> {
    const now = this.clock.now();
    await tx.query(
      `INSERT INTO kit.pending_work (uuid, stage, due_at, deadline_at) VALUES ($1, 'create', $2, $3)
       ON CONFLICT ON CONSTRAINT pending_work_pkey DO NOTHING`,
      [uuid, now, new Date(now.getTime() + deadlineMs)],
    );
  }

  async find(db: Queryable, uuid: string): Promise<PendingWork | null> {
    const [row] = await db.query<PendingWork>(
      `SELECT uuid, stage, attempts, deadline_at AS "deadlineAt" FROM kit.pending_work WHERE uuid = $1`,
      [uuid],
    );
    return row ?? null;
  }

  async listDue(db: Queryable, max: number): Promise<PendingWork[]> {
    return db.query<PendingWork>(
      `SELECT uuid, stage, attempts, deadline_at AS "deadlineAt" FROM kit.pending_work
       WHERE due_at <= $1 ORDER BY due_at LIMIT $2`,
      [this.clock.now(), max],
    );
  }

  /** The next stage has its own attempts. False when the work is in another stage by now, or gone. */
  async move(db: Queryable, uuid: string, from: WorkStage, to: WorkStage): Promise<boolean> {
    const moved = await db.query(
      `UPDATE kit.pending_work SET stage = $3, attempts = 0, due_at = $4
       WHERE uuid = $1 AND stage = $2 RETURNING uuid`,
      [uuid, from, to, this.clock.now()],
    );
    return moved.length === 1;
  }

  async postpone(db: Queryable, uuid: string, delayMs: number): Promise<void> {
    await db.query('UPDATE kit.pending_work SET attempts = attempts + 1, due_at = $2 WHERE uuid = $1', [
      uuid,
      new Date(this.clock.now().getTime() + delayMs),
    ]);
  }

  /** What it waited for is there. */
  async hasten(db: Queryable, uuid: string): Promise<void> {
    await db.query('UPDATE kit.pending_work SET due_at = least(due_at, $2) WHERE uuid = $1', [
      uuid,
      this.clock.now(),
    ]);
  }

  async remove(db: Queryable, uuid: string): Promise<void> {
    await db.query('DELETE FROM kit.pending_work WHERE uuid = $1', [uuid]);
  }
}
