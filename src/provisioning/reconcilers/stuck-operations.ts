import { Inject, Injectable } from '@nestjs/common';
import { Clock, plusMs } from '../../kernel/clock.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { Database } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { OperationRepository } from '../operation.repository.js';

const BATCH = 200;

/**
 * Finds operations that nobody moves (a retry whose time has come, a dead lease, a passed deadline, a job that the
 * queue lost) and gives each a fresh job. PostgreSQL alone is asked; the queue may have forgotten everything.
 */
@Injectable()
export class StuckOperations {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly operations: OperationRepository,
    private readonly outbox: Outbox,
  ) {}

  /** How many were re-opened. */
  async run(): Promise<number> {
    return this.db.round('reconcile.stuck', async (tx) => {
      const now = this.clock.now();
      const ids = await this.operations.takeDue(tx, now, plusMs(now, this.config.nudgeMs), BATCH);
      for (const operationId of ids) await this.outbox.add(tx, 'operation.advance', { operationId });
      return ids.length;
    });
  }
}
