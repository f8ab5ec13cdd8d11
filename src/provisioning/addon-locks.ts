import { Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { AttachmentRepository } from '../attachments/attachment.repository.js';
import type { Tx } from '../kernel/db/database.js';
import type { AddonId } from '../kernel/ids.js';

/** Locks all that a change of an add-on's state may touch: the apps that have it, then the add-on itself. */
@Injectable()
export class AddonLocks {
  constructor(
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
  ) {}

  /** The add-on, as it is under the lock. */
  async take(tx: Tx, addonId: AddonId): Promise<Addon> {
    await this.attachments.lockAppsOf(tx, addonId);
    return this.addons.lock(tx, addonId);
  }
}
