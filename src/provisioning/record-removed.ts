import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonHistory } from '../addons/addon-history.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { RevokeAccess } from '../addons/grants/revoke-access.js';
import { DetachAll } from '../attachments/detach-all.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { Tx } from '../kernel/db/database.js';

/** The end of an add-on for its customer. */
@Injectable()
export class RecordRemoved {
  constructor(
    private readonly addons: AddonRepository,
    private readonly history: AddonHistory,
    private readonly detachAll: DetachAll,
    private readonly revokeAccess: RevokeAccess,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * It could not be created. Nothing was charged, and its names are free again. Done at most once: a clean-up that
   * goes on behind this finds the add-on removed already.
   */
  async creationFailed(
    tx: Tx,
    addon: Addon,
    author: Author,
    at: Date,
    message: string | null,
  ): Promise<void> {
    const moved = await this.addons.moveState(tx, addon.id, 'provisioning', 'deprovisioned', at, {
      failed: true,
      provisionMessage: message,
    });
    if (!moved) return;
    await this.end(tx, addon, author, at, 'addon.creation_failed');
  }

  /** The provider confirmed the delete. */
  async deprovisioned(tx: Tx, addon: Addon, author: Author, at: Date): Promise<void> {
    await this.addons.moveState(tx, addon.id, 'deprovisioning', 'deprovisioned', at);
    await this.end(tx, addon, author, at, 'addon.deprovisioned');
  }

  private async end(tx: Tx, addon: Addon, author: Author, at: Date, action: string): Promise<void> {
    await this.history.enterState(tx, addon.id, 'deprovisioned', at);
    await this.history.endCharge(tx, addon.id, at);
    await this.history.endOwner(tx, addon.id, at);
    await this.detachAll.run(tx, addon, author);
    await this.revokeAccess.run(tx, addon, author, at);
    await this.audit.add(tx, author, {
      action,
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name },
    });
  }
}
