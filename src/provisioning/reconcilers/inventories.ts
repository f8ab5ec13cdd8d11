import { Inject, Injectable } from '@nestjs/common';
import { Clock, plusMs } from '../../kernel/clock.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { Database } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { InventoryRepository } from '../inventory/inventory.repository.js';

/** How often a provider is asked what it holds. */
export const INVENTORY_EVERY_MS = 15 * 60_000;
const BATCH = 100;

/** Finds providers whose list is due for a comparison, and removals of orphans whose next try has come. */
@Injectable()
export class Inventories {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly inventories: InventoryRepository,
    private readonly outbox: Outbox,
  ) {}

  /** How many jobs were made. */
  async run(): Promise<number> {
    return this.db.round('reconcile.inventories', async (tx) => {
      const now = this.clock.now();
      const providers = await this.inventories.takeDue(tx, now, plusMs(now, INVENTORY_EVERY_MS), BATCH);
      for (const providerId of providers) await this.outbox.add(tx, 'inventory.compare', { providerId });
      const removals = await this.inventories.takeDueRemovals(
        tx,
        now,
        plusMs(now, this.config.nudgeMs),
        BATCH,
      );
      for (const findingId of removals) await this.outbox.add(tx, 'finding.remove_orphan', { findingId });
      return providers.length + removals.length;
    });
  }
}
