import { Injectable } from '@nestjs/common';
import type { Addon, AddonNotice } from '../addons/addon.entity.js';
import { NoticeRepository } from '../addons/notice.repository.js';
import type { Tx } from '../kernel/db/database.js';
import { OperationRepository } from './operation.repository.js';
import { PauseRepository } from './pause.repository.js';
import { waitingNotice } from './waiting-notice.js';

/** What there is to say of add-ons: by their providers, and by Souk about what waits. */
@Injectable()
export class AddonNotices {
  constructor(
    private readonly stored: NoticeRepository,
    private readonly operations: OperationRepository,
    private readonly pauses: PauseRepository,
  ) {}

  /** All of one add-on, newest first; Souk's own come first while they hold. */
  async list(tx: Tx, addon: Addon): Promise<AddonNotice[]> {
    return [...(await this.waiting(tx, [addon])), ...(await this.stored.list(tx, addon.id))];
  }

  /** Those that hold now, of several add-ons. */
  async listOpen(tx: Tx, addons: Addon[]): Promise<AddonNotice[]> {
    const stored = await this.stored.listOpen(
      tx,
      addons.map(({ id }) => id),
    );
    return [...(await this.waiting(tx, addons)), ...stored];
  }

  private async waiting(tx: Tx, addons: Addon[]): Promise<AddonNotice[]> {
    const live = addons.filter(({ removedAt }) => removedAt === null);
    if (live.length === 0) return [];
    const open = await this.operations.listActive(
      tx,
      live.map(({ id }) => id),
    );
    const byAddon = new Map(open.map((operation) => [operation.addonId, operation]));
    const pauses = await this.pauses.listOpen(tx);
    return live.flatMap((addon) => waitingNotice(addon, byAddon.get(addon.id) ?? null, pauses) ?? []);
  }
}
