import { Injectable } from '@nestjs/common';
import { SYSTEM } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { ProviderId } from '../../kernel/ids.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { CallGate } from '../call-gate.js';
import { InventoryRepository } from './inventory.repository.js';
import { ListResources } from './list-resources.js';

/** The clocks of our processes may differ by so much: what ended this shortly before the list may still be in it. */
const SKEW_MS = 60_000;

/**
 * Lays a provider's list of resources beside our add-ons. A resource without an add-on is an orphan, an add-on without
 * a resource a phantom; each is a finding while it lasts. A list that is not whole proves nothing and changes nothing.
 */
@Injectable()
export class CompareInventory {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly catalog: CatalogRepository,
    private readonly inventories: InventoryRepository,
    private readonly listResources: ListResources,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
    private readonly gate: CallGate,
  ) {}

  async run(providerId: ProviderId): Promise<void> {
    if (await this.isLeftAlone(providerId)) return;
    const access = await this.catalog.access(this.db.manager, providerId);
    const comparedAt = this.clock.now();
    const listing = await this.listResources.run(access);
    await this.db.transaction('inventory.record', async (tx) => {
      const inventory = await this.inventories.lock(tx, providerId, comparedAt);
      // A pause that began meanwhile may be why the list is as it is.
      if (inventory === null || (await this.gate.restOf(tx, providerId, comparedAt)) !== null) return;
      if (listing.kind === 'incomplete') {
        await this.inventories.note(tx, providerId, { error: listing.why });
        return;
      }
      const { resources } = listing;
      const settledBefore = plusMs(comparedAt, -SKEW_MS);
      const differences = [
        ...(await this.inventories.findOrphans(tx, providerId, resources, settledBefore)),
        ...(await this.inventories.findPhantoms(tx, providerId, resources, settledBefore)),
      ];
      const now = this.clock.now();
      await this.inventories.settleFindings(tx, providerId, differences, now);
      await this.inventories.note(tx, providerId, { comparedAt, listed: resources.length });
      if (!inventory.removesOrphans) return;
      for (const findingId of await this.inventories.requestSeenBefore(tx, providerId, comparedAt, now)) {
        await this.outbox.add(tx, 'finding.remove_orphan', { findingId });
        await this.audit.add(tx, SYSTEM, {
          action: 'finding.removal_requested',
          subject: { kind: 'finding', id: findingId },
          details: { provider: access.slug, why: 'seen twice' },
        });
      }
    });
  }

  /** No call is made to a provider that is paused or does not answer; the next round comes back to it. */
  private async isLeftAlone(providerId: ProviderId): Promise<boolean> {
    const rest = await this.gate.restOf(this.db.manager, providerId, this.clock.now());
    if (rest === null) return false;
    await this.db.transaction('inventory.record', (tx) =>
      this.inventories.note(tx, providerId, {
        error: 'the provider is paused, or does not answer at the moment',
      }),
    );
    return true;
  }
}
