import { Injectable } from '@nestjs/common';
import type { Actor } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { addonErrors } from '../addons/addons.errors.js';
import { AppRepository } from '../apps/app.repository.js';
import { AttachmentRepository } from '../attachments/attachment.repository.js';
import { attachmentErrors } from '../attachments/attachments.errors.js';
import type { Plan } from '../catalog/catalog.entity.js';
import { Clock } from '../kernel/clock.js';
import { Database } from '../kernel/db/database.js';
import { OperationRepository } from './operation.repository.js';
import { differenceOf, directionOf, type PlanChangeDirection, type Price } from './plan-change-quote.js';
import { PlanChoice } from './plan-choice.js';

/** So many of the newest plan changes tell how long the next one takes. */
const HISTORY_MAX = 50;

export interface PlanChangeQuote {
  addon: Addon;
  to: Plan;
  direction: PlanChangeDirection;
  /** What is paid now and then, for a month. */
  prices: { from: Price; to: Price; difference: Price | null };
  /** Names of the actor's apps that read the add-on's config vars, and how many apps of others do. */
  restarts: { apps: string[]; otherApps: number };
  /** From this provider's own changes; null where it made none. */
  expected: { seconds: number | null; changes: number };
}

/** Says what a plan change would bring, and changes nothing. It refuses what the change itself would refuse. */
@Injectable()
export class QuotePlanChange {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly operations: OperationRepository,
    private readonly choice: PlanChoice,
  ) {}

  async run(actor: Actor, identity: string, planIdentity: string): Promise<PlanChangeQuote> {
    const tx = this.db.manager;
    const addon = await this.addons.getForActor(tx, actor, identity, this.clock.now());
    if (addon.removedAt !== null) throw addonErrors.addon_not_found();
    // What it costs is the owning app's business, as the change itself is.
    if ((await this.apps.findForActor(tx, actor, addon.appId)) === null)
      throw attachmentErrors.addon_of_another_app();
    const running = await this.operations.findActive(tx, addon.id);
    if (running !== null || addon.deleteRequestedAt !== null || addon.state !== 'provisioned')
      throw addonErrors.operation_in_flight({ internal: `operation ${running?.id} is ${running?.state}` });
    const plan = await this.choice.get(tx, addon, planIdentity);
    const same = plan.id === addon.planId;
    if (!same) await this.choice.assertOpenTo(tx, actor, addon, plan);
    const from: Price = { cents: addon.billedCents, currency: addon.billedCurrency };
    // Who stays on a plan keeps its price.
    const to: Price = same ? from : { cents: plan.priceCents, currency: plan.priceCurrency };
    const apps = new Map(
      (await this.attachments.listOfAddon(tx, addon.id)).map(({ app }) => [app.id, app] as const),
    );
    const seen = await Promise.all([...apps.keys()].map((id) => this.apps.findForActor(tx, actor, id)));
    const own = seen.filter((app) => app !== null);
    const times = await this.operations.planChangeTimes(tx, addon.addonServiceId, HISTORY_MAX);
    const { medianSeconds } = times;
    return {
      addon,
      to: plan,
      direction: directionOf(addon.plan, plan),
      prices: { from, to, difference: differenceOf(from, to) },
      restarts: {
        apps: same ? [] : own.map(({ name }) => name).sort(),
        otherApps: same ? 0 : apps.size - own.length,
      },
      expected: {
        seconds: same ? 0 : medianSeconds === null ? null : Math.ceil(medianSeconds),
        changes: times.count,
      },
    };
  }
}
