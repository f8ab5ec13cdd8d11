import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { AddonService, ServiceState } from '../catalog.entity.js';
import { catalogErrors } from '../catalog.errors.js';
import { CatalogRepository } from '../catalog.repository.js';
import { judgeMove, nextStages, type MoveVerdict } from '../lifecycle.js';
import { ServiceAccessRepository } from '../service-access.repository.js';

/** Moves a service to another stage of its life: alpha, beta, ga, shutdown. */
@Injectable()
export class MoveStage {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly catalog: CatalogRepository,
    private readonly access: ServiceAccessRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** `as`: the operator may move any service; a maker only his own, and only back. */
  async run(
    actor: Actor,
    identity: string,
    to: ServiceState,
    as: 'operator' | 'maker',
  ): Promise<AddonService> {
    return this.db.transaction('manifest.move_stage', async (tx) => {
      const service =
        as === 'operator'
          ? await this.catalog.getService(tx, identity)
          : (await this.access.getPublished(tx, actor, identity)).service;
      const from = await this.access.lockState(tx, service.id);
      const plans = await this.catalog.listPlans(tx, service.id);
      const verdict = judgeMove(from, to, as, plans);
      if (verdict === 'same') return service;
      if (verdict !== 'ok') throw refused(service, from, to, verdict);
      await this.catalog.moveState(tx, service.id, from, to, this.clock.now());
      await this.audit.add(tx, authorOf(actor), {
        action: 'service.stage_moved',
        subject: { kind: 'addon_service', id: service.id },
        details: { service: service.name, from, to, as },
      });
      return this.catalog.getService(tx, service.id);
    });
  }
}

function refused(
  { name }: AddonService,
  from: ServiceState,
  to: ServiceState,
  verdict: Exclude<MoveVerdict, 'ok' | 'same'>,
) {
  const next = nextStages(from);
  const sentences = {
    no_such_move: `${name} is in ${from} and cannot move to ${to}; ${next.length === 0 ? 'this stage is the last' : `from there it goes to ${next.join(', ')}`}.`,
    operator_only: `Moving ${name} from ${from} to ${to} is the operator's to do; ask yours.`,
    nothing_to_install: `In ${to} nobody could install ${name}: push a manifest with a plan for everybody${to === 'beta' ? ' that is free' : ''} first.`,
  };
  return catalogErrors.stage_move_refused({ message: sentences[verdict] });
}
