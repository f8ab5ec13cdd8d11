import { Injectable } from '@nestjs/common';
import { SYSTEM } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { ProviderId } from '../../kernel/ids.js';
import { CallGate } from '../call-gate.js';
import { ProviderClient } from '../clients/provider-client.js';
import { judgePartnerCleaning } from '../judge-partner.js';
import { retryWaitMs } from '../operation.js';
import type { Reply } from '../reply.js';
import { InventoryRepository, type FindingId } from './inventory.repository.js';

/** Longer than any call to a provider may take: after this nobody is at it any more. */
const CALL_MAX_MS = 120_000;

interface Claim {
  providerId: ProviderId;
  resource: string;
  /** Counts claims; a worker whose count is no longer the row's has lost its claim. */
  attempt: number;
}

/** Deletes an orphan at its provider: claim, call, record. Repeated until the provider confirms it. */
@Injectable()
export class RemoveOrphan {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly catalog: CatalogRepository,
    private readonly inventories: InventoryRepository,
    private readonly client: ProviderClient,
    private readonly audit: AuditTrail,
    private readonly gate: CallGate,
  ) {}

  async run(id: FindingId): Promise<void> {
    const claim = await this.claim(id);
    if (claim === null) return;
    const access = await this.catalog.access(this.db.manager, claim.providerId);
    const reply = await this.client.deprovision(access, claim.resource);
    await this.record(id, claim, reply);
  }

  private claim(id: FindingId): Promise<Claim | null> {
    return this.db.transaction('orphan.claim', async (tx) => {
      const finding = await this.inventories.lockFinding(tx, id);
      if (finding === null || finding.resolvedAt !== null) return null;
      const { providerId, resource, removalDueAt, removalAttempts } = finding;
      const now = this.clock.now();
      if (providerId === null || resource === null || removalDueAt === null || removalDueAt > now)
        return null;
      // The provider may have given the same name to a new add-on's resource since the list was read.
      if (await this.inventories.isHeld(tx, providerId, resource, now)) {
        await this.inventories.updateFinding(tx, id, { resolvedAt: now, removalDueAt: null });
        return null;
      }
      const rest = await this.gate.restOf(tx, providerId, now);
      if (rest !== null) {
        await this.inventories.updateFinding(tx, id, { removalDueAt: rest, removalNudgedUntil: null });
        return null;
      }
      const attempt = removalAttempts + 1;
      await this.inventories.updateFinding(tx, id, {
        removalAttempts: attempt,
        removalDueAt: plusMs(now, CALL_MAX_MS),
        removalNudgedUntil: null,
      });
      return { providerId, resource, attempt };
    });
  }

  private async record(id: FindingId, { providerId, resource, attempt }: Claim, reply: Reply): Promise<void> {
    await this.db.transaction('orphan.record', async (tx) => {
      // A comparison that is being recorded either sees the orphan's end or is over before it.
      await this.inventories.lock(tx, providerId, this.clock.now());
      const finding = await this.inventories.lockFinding(tx, id);
      if (finding === null || finding.resolvedAt !== null || finding.removalAttempts !== attempt) return;
      const now = this.clock.now();
      if (judgePartnerCleaning(reply) === 'cleaned') {
        await this.inventories.updateFinding(tx, id, {
          resolvedAt: now,
          removalDueAt: null,
          removalError: null,
        });
        await this.audit.add(tx, SYSTEM, {
          action: 'finding.orphan_removed',
          subject: { kind: 'finding', id },
          details: { resource },
        });
        return;
      }
      await this.inventories.updateFinding(tx, id, {
        removalDueAt: plusMs(now, retryWaitMs(attempt, true, Math.random())),
        removalError: reply.kind === 'answered' ? `status ${reply.status}` : reply.why,
      });
    });
  }
}
