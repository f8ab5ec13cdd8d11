import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { appErrors } from '../../apps/apps.errors.js';
import { findRegion } from '../../apps/regions.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { planName } from '../../catalog/catalog.entity.js';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { newId } from '../../kernel/ids.js';
import type { Pause } from '../gate.entity.js';
import { PauseRepository } from '../pause.repository.js';
import { provisioningErrors } from '../provisioning.errors.js';

/** Exactly one of them, by name or id. */
export interface PauseTarget {
  service?: string;
  plan?: string;
  region?: string;
}

/**
 * Pauses a provider, a plan or a region. Nothing new begins there; calls to the provider, or for that region, wait. What
 * is paused already stays so, with the reason that it has.
 */
@Injectable()
export class PauseProvisioning {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly catalog: CatalogRepository,
    private readonly pauses: PauseRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, input: PauseTarget, reason: string): Promise<Pause> {
    return this.db.transaction('pause.begin', async (tx) => {
      const { scope, target, targetName } = await this.resolve(tx, input);
      const author = authorOf(actor);
      const pause: Pause = {
        id: newId<Pause['id']>(),
        scope,
        target,
        targetName,
        reason,
        pausedBy: author.name,
        createdAt: this.clock.now(),
        resumedBy: null,
        resumedAt: null,
      };
      if (!(await this.pauses.insert(tx, pause))) return this.pauses.getOpen(tx, scope, target);
      await this.audit.add(tx, author, {
        action: 'pause.begun',
        subject: { kind: 'pause', id: pause.id },
        details: { scope, target: targetName, reason },
      });
      return pause;
    });
  }

  private async resolve(
    tx: Tx,
    { service, plan, region }: PauseTarget,
  ): Promise<Pick<Pause, 'scope' | 'target' | 'targetName'>> {
    if ([service, plan, region].filter((one) => one !== undefined).length !== 1)
      throw provisioningErrors.pause_target_invalid();
    if (service !== undefined) {
      const { providerId, name } = await this.catalog.getService(tx, service);
      return { scope: 'provider', target: providerId, targetName: name };
    }
    if (plan !== undefined) {
      const found = await this.catalog.findPlanByName(tx, plan);
      return { scope: 'plan', target: found.id, targetName: planName(found) };
    }
    const found = findRegion(region ?? '');
    if (found === undefined) throw appErrors.region_unknown();
    return { scope: 'region', target: found.name, targetName: found.name };
  }
}
