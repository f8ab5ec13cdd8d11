import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { addonErrors } from '../../addons/addons.errors.js';
import { AppRepository } from '../../apps/app.repository.js';
import { attachmentErrors } from '../../attachments/attachments.errors.js';
import { planName } from '../../catalog/catalog.entity.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { AddonId, OperationId } from '../../kernel/ids.js';
import { AddonLocks } from '../addon-locks.js';
import { BeginOperation } from '../begin-operation.js';
import { OperationRepository } from '../operation.repository.js';
import { PlanChoice } from '../plan-choice.js';

export interface ChangePlanInput {
  /** Name or id of the app that owns the add-on. */
  app: string;
  addon: string;
  /** `service:plan`, the plan's own name, or its id. */
  plan: string;
}

/** The tables that a plan change reads and writes. */
@Injectable()
export class ChangePlanRepositories {
  constructor(
    readonly apps: AppRepository,
    readonly addons: AddonRepository,
    readonly operations: OperationRepository,
  ) {}
}

/** Commits the wish for another plan and its job; the provider is called later, and the plan is changed when it agreed. */
@Injectable()
export class ChangePlan {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly repositories: ChangePlanRepositories,
    private readonly locks: AddonLocks,
    private readonly choice: PlanChoice,
    private readonly begin: BeginOperation,
  ) {}

  /** The operation that was begun; null where the add-on has this plan already. */
  async run(
    actor: Actor,
    input: ChangePlanInput,
  ): Promise<{ addonId: AddonId; operationId: OperationId | null }> {
    const { apps, addons, operations } = this.repositories;
    return this.db.transaction('plan_change.request', async (tx) => {
      const app = await apps.getForActor(tx, actor, input.app);
      const found = await addons.getForActor(tx, actor, input.addon, this.clock.now(), app.id);
      // What it costs is the owner's: from an app that only shares it, a plan is not changed.
      if (found.appId !== app.id)
        throw attachmentErrors.addon_of_another_app({
          message: `${found.name} belongs to ${found.app.name}, not to ${app.name}: change its plan there.`,
          app: { name: found.app.name },
        });
      const addon = await this.locks.take(tx, found.id);
      if (addon.removedAt !== null) throw addonErrors.addon_not_found();
      const plan = await this.choice.get(tx, addon, input.plan);
      const running = await operations.findActive(tx, addon.id);
      if (running !== null || addon.deleteRequestedAt !== null || addon.state !== 'provisioned')
        throw addonErrors.operation_in_flight({ internal: `operation ${running?.id} is ${running?.state}` });
      if (plan.id === addon.planId) return { addonId: addon.id, operationId: null };
      await this.choice.assertOpenTo(tx, actor, addon, plan);
      const operationId = await this.begin.run(
        tx,
        'plan_change',
        addon.id,
        authorOf(actor),
        { app: addon.appId, name: addon.name, from: planName(addon.plan), to: planName(plan) },
        { planId: plan.id, priceCents: plan.priceCents, priceCurrency: plan.priceCurrency },
      );
      return { addonId: addon.id, operationId };
    });
  }
}
