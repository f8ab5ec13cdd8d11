import { Injectable } from '@nestjs/common';
import { In, IsNull } from 'typeorm';
import type { Tx } from '../kernel/db/database.js';
import type { AddonId } from '../kernel/ids.js';
import { AddonNotice } from './addon.entity.js';

@Injectable()
export class NoticeRepository {
  /** An add-on's notices, newest first, at most 200. */
  async list(tx: Tx, addonId: AddonId): Promise<AddonNotice[]> {
    return tx.find(AddonNotice, { where: { addonId }, order: { createdAt: 'DESC' }, take: 200 });
  }

  /** Those that still hold, for several add-ons. */
  async listOpen(tx: Tx, addonIds: AddonId[]): Promise<AddonNotice[]> {
    if (addonIds.length === 0) return [];
    return tx.find(AddonNotice, {
      where: { addonId: In(addonIds), clearedAt: IsNull() },
      order: { createdAt: 'ASC' },
    });
  }
}
