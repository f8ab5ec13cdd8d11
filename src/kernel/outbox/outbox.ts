import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { Tx } from '../db/database.js';
import type { JobName, Jobs } from '../jobs/jobs.js';

/** Work for after the commit, written in the same transaction as the change that asks for it. */
@Injectable()
export class Outbox {
  constructor(private readonly clock: Clock) {}

  async add<N extends JobName>(tx: Tx, job: N, payload: Jobs[N]): Promise<void> {
    await tx.query('INSERT INTO outbox (job, payload, created_at) VALUES ($1, $2, $3)', [
      job,
      payload,
      this.clock.now(),
    ]);
  }

  /** How many rows wait for the relay. */
  async count(tx: Tx): Promise<number> {
    const [row]: { count: number }[] = await tx.query('SELECT count(*)::int AS count FROM outbox');
    return row?.count ?? 0;
  }
}
