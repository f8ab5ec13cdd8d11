import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { Plan } from '../catalog/catalog.entity.js';
import type { Tx } from '../kernel/db/database.js';
import { isId, type AddonId, type ProviderId } from '../kernel/ids.js';
import { Pause } from './gate.entity.js';
import { provisioningErrors } from './provisioning.errors.js';

@Injectable()
export class PauseRepository {
  /** False where the same thing is paused already. */
  async insert(tx: Tx, pause: Pause): Promise<boolean> {
    const result = await tx
      .createQueryBuilder()
      .insert()
      .into(Pause)
      .values(pause)
      .orIgnore()
      .returning('id')
      .execute();
    return (result.raw as unknown[]).length === 1;
  }

  async getOpen(tx: Tx, scope: Pause['scope'], target: string): Promise<Pause> {
    const pause = await tx.findOneBy(Pause, { scope, target, resumedAt: IsNull() });
    if (pause === null) throw provisioningErrors.pause_not_found();
    return pause;
  }

  async get(tx: Tx, id: string): Promise<Pause> {
    const pause = isId(id) ? await tx.findOneBy(Pause, { id: id as Pause['id'] }) : null;
    if (pause === null) throw provisioningErrors.pause_not_found();
    return pause;
  }

  /** False where somebody did so first. */
  async resume(tx: Tx, id: Pause['id'], by: string, at: Date): Promise<boolean> {
    const result = await tx.update(Pause, { id, resumedAt: IsNull() }, { resumedBy: by, resumedAt: at });
    return result.affected === 1;
  }

  /** Those that hold, oldest first; at most 1,000. */
  async listOpen(tx: Tx): Promise<Pause[]> {
    return tx.find(Pause, { where: { resumedAt: IsNull() }, order: { createdAt: 'ASC' }, take: 1_000 });
  }

  async isProviderPaused(tx: Tx, providerId: ProviderId): Promise<boolean> {
    return tx.existsBy(Pause, { scope: 'provider', target: providerId, resumedAt: IsNull() });
  }

  /** The pause that keeps calls about an add-on back: of its provider or its region. A plan's keeps only new ones out. */
  async findHolding(tx: Tx, addonId: AddonId): Promise<Pause | null> {
    return tx
      .createQueryBuilder(Pause, 'pause')
      .where('pause.resumed_at IS NULL')
      .andWhere(
        `EXISTS (SELECT 1 FROM addons a JOIN addon_services s ON s.id = a.addon_service_id WHERE a.id = :addonId
           AND ((pause.scope = 'provider' AND pause.target = s.provider_id::text)
             OR (pause.scope = 'region' AND pause.target = a.region)))`,
        { addonId },
      )
      .orderBy('pause.created_at', 'ASC')
      .limit(1)
      .getOne();
  }

  /** Nothing new of a plan may begin in a region while it, its provider or the region is paused. */
  async assertNotPaused(tx: Tx, plan: Plan, region: string): Promise<void> {
    const pause = await tx
      .createQueryBuilder(Pause, 'pause')
      .where('pause.resumed_at IS NULL')
      .andWhere(
        `((pause.scope = 'provider' AND pause.target = :provider) OR (pause.scope = 'plan' AND pause.target = :plan)
          OR (pause.scope = 'region' AND pause.target = :region))`,
        { provider: plan.addonService.providerId, plan: plan.id, region },
      )
      .orderBy('pause.created_at', 'ASC')
      .limit(1)
      .getOne();
    if (pause === null) return;
    const what = pause.scope === 'region' ? `The region ${pause.targetName}` : pause.targetName;
    throw provisioningErrors.service_paused({
      message: `${what} is paused by the operator: ${sentence(pause.reason)} Nothing was changed; try again later.`,
    });
  }
}

/** The operator's words, ended like a sentence. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
