import type { Clock } from './clock.js';
import type { Queryable } from './database.js';

/** Something to tell the holders of one add-on. A later notice of the same key takes the place of the earlier. */
export interface Notice {
  uuid: string;
  /** The condition, e.g. `storage`. */
  key: string;
  severity: 'info' | 'warning' | 'critical';
  message: string;
  /** The condition is over. */
  cleared: boolean;
}

/** A notice that waits for its delivery. */
export interface WaitingNotice extends Notice {
  id: string;
  attempts: number;
}

/** Every query on the notices' table. */
export class NoticeOutbox {
  constructor(private readonly clock: Clock) {}

  /** Within the transaction that makes the notice true. */
  async add(db: Queryable, notice: Notice): Promise<void> {
    const now = this.clock.now();
    await db.query(
      `INSERT INTO kit.notices (uuid, key, severity, message, cleared, due_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $6)`,
      [notice.uuid, notice.key, notice.severity, notice.message, notice.cleared, now],
    );
  }

  /** The oldest notice of each resource, where it is due: a later one never overtakes it. */
  async listDue(db: Queryable, max: number): Promise<WaitingNotice[]> {
    return db.query<WaitingNotice>(
      `SELECT id, uuid, key, severity, message, cleared, attempts
       FROM (SELECT DISTINCT ON (uuid) * FROM kit.notices ORDER BY uuid, id) AS heads
       WHERE due_at <= $1 ORDER BY due_at LIMIT $2`,
      [this.clock.now(), max],
    );
  }

  async remove(db: Queryable, id: string): Promise<void> {
    await db.query('DELETE FROM kit.notices WHERE id = $1', [id]);
  }

  async postpone(db: Queryable, id: string, delayMs: number): Promise<void> {
    const dueAt = new Date(this.clock.now().getTime() + delayMs);
    await db.query('UPDATE kit.notices SET attempts = attempts + 1, due_at = $2 WHERE id = $1', [id, dueAt]);
  }
}
