import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { InventoryRepository, type NamedInventory } from './inventory.repository.js';

/** Says whether a provider's orphans are removed without a person's word, once two comparisons have seen them. */
@Injectable()
export class SetOrphanRemoval {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly inventories: InventoryRepository,
    private readonly audit: AuditTrail,
  ) {}

  run(actor: Actor, slug: string, removesOrphans: boolean): Promise<NamedInventory> {
    return this.db.transaction('inventory.settings', async (tx) => {
      const inventory = await this.inventories.getBySlug(tx, slug);
      if (inventory.removesOrphans === removesOrphans) return inventory;
      await this.inventories.setRemovesOrphans(tx, inventory.providerId, removesOrphans, this.clock.now());
      await this.audit.add(tx, authorOf(actor), {
        action: 'inventory.settings_changed',
        subject: { kind: 'provider', id: inventory.providerId },
        details: { removes_orphans: removesOrphans },
      });
      return { ...inventory, removesOrphans };
    });
  }
}
