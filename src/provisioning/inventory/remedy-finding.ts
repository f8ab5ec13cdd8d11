import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { RequestDeprovision } from '../commands/destroy-addon.js';
import { provisioningErrors } from '../provisioning.errors.js';
import { inventoryErrors } from './inventory.errors.js';
import { InventoryRepository, type FindingId } from './inventory.repository.js';

/**
 * An operator's word on a difference: an orphan is deleted at its provider until that is confirmed; the add-on of a
 * phantom is deleted, so that nobody pays for nothing. Saying it twice changes nothing more.
 */
@Injectable()
export class RemedyFinding {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly inventories: InventoryRepository,
    private readonly requestDeprovision: RequestDeprovision,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, id: FindingId, why: string): Promise<void> {
    await this.db.transaction('finding.remedy', async (tx) => {
      const finding = await this.inventories.lockFinding(tx, id);
      if (finding === null || finding.resolvedAt !== null) throw provisioningErrors.finding_not_found();
      const { kind, resource, addonId } = finding;
      if (kind === 'orphan' && resource !== null) {
        if (finding.removalDueAt !== null) return;
        await this.inventories.updateFinding(tx, id, { removalDueAt: this.clock.now() });
        await this.outbox.add(tx, 'finding.remove_orphan', { findingId: id });
      } else if (kind === 'phantom' && addonId !== null) {
        await this.requestDeprovision.run(tx, addonId, authorOf(actor));
        await this.inventories.updateFinding(tx, id, { resolvedAt: this.clock.now() });
      } else throw inventoryErrors.finding_has_no_remedy();
      await this.audit.add(tx, authorOf(actor), {
        action: 'finding.removal_requested',
        subject: { kind: 'finding', id },
        details: { kind, why },
      });
    });
  }
}
