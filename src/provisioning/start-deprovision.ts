import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonHistory } from '../addons/addon-history.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { DetachAll } from '../attachments/detach-all.js';
import type { Tx } from '../kernel/db/database.js';
import { BeginOperation } from './begin-operation.js';

/**
 * Begins the delete of a provisioned add-on: it leaves its apps with a release at once, charging ends at the moment
 * that deletion was asked for, and the provider is told next.
 */
@Injectable()
export class StartDeprovision {
  constructor(
    private readonly addons: AddonRepository,
    private readonly history: AddonHistory,
    private readonly detachAll: DetachAll,
    private readonly begin: BeginOperation,
  ) {}

  /** The caller holds the add-on's lock and knows that no operation is running. */
  async run(tx: Tx, addon: Addon, author: Author, at: Date): Promise<void> {
    if (addon.deleteRequestedAt === null) await this.addons.setDeleteRequested(tx, addon.id, at);
    await this.history.endCharge(tx, addon.id, addon.deleteRequestedAt ?? at);
    await this.detachAll.run(tx, addon, author);
    await this.addons.moveState(tx, addon.id, 'provisioned', 'deprovisioning', at);
    await this.history.enterState(tx, addon.id, 'deprovisioning', at);
    await this.begin.run(tx, 'deprovision', addon.id, author, { app: addon.appId, name: addon.name });
  }
}
