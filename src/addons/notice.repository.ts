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

  /** The open notice of a condition, or null. */
  async findOpen(tx: Tx, addonId: AddonId, key: string): Promise<AddonNotice | null> {
    return tx.findOneBy(AddonNotice, { addonId, key, clearedAt: IsNull() });
  }

  async insert(tx: Tx, notice: AddonNotice): Promise<void> {
    await tx.insert(AddonNotice, notice);
  }

  async clear(tx: Tx, id: AddonNotice['id'], at: Date): Promise<void> {
    await tx.update(AddonNotice, { id, clearedAt: IsNull() }, { clearedAt: at });
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
