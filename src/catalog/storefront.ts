import { Injectable } from '@nestjs/common';
import type { Actor } from '../accounts/actor.js';
import type { Tx } from '../kernel/db/database.js';
import { SoukError } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import type { Page, Range } from '../kernel/range.js';
import { partsOfPlanName, planName, type AddonService, type Plan } from './catalog.entity.js';
import { catalogErrors } from './catalog.errors.js';
import { CatalogRepository } from './catalog.repository.js';
import { isListed, mayInstall, maySee, type Standing } from './lifecycle.js';
import { ServiceAccessRepository } from './service-access.repository.js';

/** The catalogue as one account sees it: stages and the availability of plans decide. */
@Injectable()
export class Storefront {
  constructor(
    private readonly catalog: CatalogRepository,
    private readonly access: ServiceAccessRepository,
  ) {}

  listServices(tx: Tx, actor: Actor, range: Range<'name' | 'id'>): Promise<Page<AddonService>> {
    return this.catalog.listServices(tx, range, actor);
  }

  async getService(tx: Tx, actor: Actor, identity: string): Promise<AddonService> {
    const service = await this.catalog.getService(tx, identity);
    await this.assertSeen(tx, actor, service, identity);
    return service;
  }

  /** The plans that the account is shown, in the order of the manifest. */
  async listPlans(tx: Tx, actor: Actor, identity: string): Promise<Plan[]> {
    const service = await this.catalog.getService(tx, identity);
    const standing = await this.assertSeen(tx, actor, service, identity);
    const plans = await this.catalog.listPlans(tx, service.id);
    return plans.filter((plan) => isListed(service.state, plan, standing));
  }

  /**
   * The plan that a name means, if the account may install it: `service`, `service:plan`, or an id. A service alone
   * means its default plan or, while that one cannot be had, the first that can.
   */
  async getInstallable(tx: Tx, actor: Actor, identity: string): Promise<Plan> {
    const asked = await this.findPlan(tx, actor, identity);
    const service = asked.addonService;
    // What anybody may have needs no look at who asks.
    if (mayInstall(service.state, asked, 'anyone') === 'ok') return asked;
    const standing = await this.access.standingOf(tx, actor, service.id);
    const verdict = mayInstall(service.state, asked, standing);
    if (verdict === 'ok') return asked;
    if (maySee(service.state, standing) && !isId(identity) && !/:./.test(identity)) {
      const plans = await this.catalog.listPlans(tx, service.id);
      const other = plans.find((plan) => isListed(service.state, plan, standing));
      if (other !== undefined) return other;
    }
    switch (verdict) {
      case 'not_found':
        throw maySee(service.state, standing) ? noPlan(identity) : noService(identity);
      case 'service_unavailable':
        throw catalogErrors.service_unavailable();
      case 'plan_unavailable':
        throw catalogErrors.plan_unavailable();
      case 'plan_not_free':
        throw catalogErrors.plan_not_free({
          message: `${planName(asked)} costs money, and ${service.name} is in ${service.state}, where only free plans can be had until an operator of this Souk moves it to ga; see "heroku addons:plans ${service.name}".`,
        });
    }
  }

  /** What the account is to the service; throws when it may not know of it. */
  private async assertSeen(tx: Tx, actor: Actor, service: AddonService, identity: string): Promise<Standing> {
    const standing = await this.access.standingOf(tx, actor, service.id);
    if (!maySee(service.state, standing)) throw noService(identity);
    return standing;
  }

  /** A plan that does not exist, of a service that the account may not see, is a service that does not exist. */
  private async findPlan(tx: Tx, actor: Actor, identity: string): Promise<Plan> {
    try {
      return await this.catalog.findPlanByName(tx, identity);
    } catch (error) {
      if (error instanceof SoukError && error.id === 'plan_not_found' && !isId(identity))
        await this.getService(tx, actor, serviceOf(identity));
      throw error;
    }
  }
}

/** The words of a service that does not exist: whoever may not see one does not learn that it does. */
function noService(identity: string) {
  return catalogErrors.service_not_found({
    message: `Couldn't find the add-on service "${serviceOf(identity).slice(0, 60)}"; see "heroku addons:services".`,
  });
}

function serviceOf(identity: string): string {
  return partsOfPlanName(identity).service;
}

function noPlan(identity: string) {
  return catalogErrors.plan_not_found({
    message: `Couldn't find the plan "${identity.slice(0, 100)}"; see "heroku addons:plans ${serviceOf(identity).slice(0, 60)}".`,
  });
}
