import { Injectable } from '@nestjs/common';
import type { Actor } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { partsOfPlanName, planName, type Plan } from '../catalog/catalog.entity.js';
import { catalogErrors } from '../catalog/catalog.errors.js';
import { CatalogRepository } from '../catalog/catalog.repository.js';
import { Storefront } from '../catalog/storefront.js';
import type { Tx } from '../kernel/db/database.js';
import { isId } from '../kernel/ids.js';
import { offers } from './commands/provision-addon.js';
import { PauseRepository } from './pause.repository.js';
import { planChangeErrors } from './plan-change.errors.js';

/** The plan that somebody names for an add-on that has one. */
@Injectable()
export class PlanChoice {
  constructor(
    private readonly catalog: CatalogRepository,
    private readonly storefront: Storefront,
    private readonly pauses: PauseRepository,
  ) {}

  /** By `service:plan`, by the plan's own name, or by its id. A plan that left the market is found too. */
  async get(tx: Tx, addon: Addon, identity: string): Promise<Plan> {
    const service = addon.plan.addonService;
    const { service: first, slug } = partsOfPlanName(identity);
    const named = slug ?? first;
    if (slug === null || first === service.name) {
      const plan = await this.catalog.findPlanOf(tx, service.id, named);
      if (plan !== null) return plan;
      if (!isId(named)) throw notOffered(identity, service.name);
    }
    // Whether there is such a plan elsewhere is public: the catalogue is.
    const elsewhere = await this.catalog.hasPlan(tx, identity);
    throw elsewhere
      ? planChangeErrors.plan_of_other_service({
          message: `${addon.name} is an add-on of ${service.name} and stays one: choose one of its plans, or create another add-on.`,
        })
      : notOffered(identity, service.name);
  }

  /** Throws where the actor may not change to the plan now; who has it already keeps it. */
  async assertOpenTo(tx: Tx, actor: Actor, addon: Addon, plan: Plan): Promise<void> {
    const service = plan.addonService;
    if (service.state === 'shutdown')
      throw catalogErrors.service_unavailable({
        message: `${service.name} is shut down: its add-ons keep the plans that they have.`,
      });
    await this.storefront.getInstallable(tx, actor, plan.id);
    await this.pauses.assertNotPaused(tx, plan, addon.region);
    if (!offers(service, plan, addon.region))
      throw catalogErrors.region_unavailable({
        message: `${planName(plan)} is not offered in the region ${addon.region}.`,
      });
  }
}

function notOffered(identity: string, service: string) {
  return planChangeErrors.plan_not_offered({
    message: `Couldn't find either the add-on service or the plan "${identity.slice(0, 100)}"; see "heroku addons:plans ${service}".`,
  });
}
