import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { planName } from '../../catalog/catalog.entity.js';
import { catalogErrors } from '../../catalog/catalog.errors.js';
import { Storefront } from '../../catalog/storefront.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { presentPlan, presentService } from './present.js';
import type { AddonServiceResource, PlanResource } from './resources.js';

@ApiTags('catalogue')
@Controller('addon-services')
export class PlatformCatalogController {
  constructor(
    private readonly db: Database,
    private readonly storefront: Storefront,
  ) {}

  /** The add-on services that can be had. */
  @Get()
  @PagedBy('name', 'id')
  @Requires('catalog:read')
  async list(
    @CurrentActor() actor: Actor,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonServiceResource[]> {
    const page = await this.storefront.listServices(
      this.db.manager,
      actor,
      parseRange(range, ['name', 'id']),
    );
    return sendPage(reply, page, 'id, name', page.items.map(presentService));
  }

  /** One add-on service, by name or id. */
  @Get(':service')
  @Requires('catalog:read')
  async show(@CurrentActor() actor: Actor, @Param('service') service: string): Promise<AddonServiceResource> {
    return presentService(await this.storefront.getService(this.db.manager, actor, service));
  }

  /** The plans of a service that you may choose, in the order of its manifest. */
  @Get(':service/plans')
  @Requires('catalog:read')
  async plans(@CurrentActor() actor: Actor, @Param('service') service: string): Promise<PlanResource[]> {
    return (await this.storefront.listPlans(this.db.manager, actor, service)).map(presentPlan);
  }

  /** One plan, by its slug, its full name `service:plan`, or its id. */
  @Get(':service/plans/:plan')
  @Requires('catalog:read')
  async plan(
    @CurrentActor() actor: Actor,
    @Param('service') service: string,
    @Param('plan') identity: string,
  ): Promise<PlanResource> {
    const plans = await this.storefront.listPlans(this.db.manager, actor, service);
    const plan = plans.find((one) => [one.slug, one.id, planName(one)].some((name) => name === identity));
    if (plan === undefined) throw catalogErrors.plan_not_found();
    return presentPlan(plan);
  }
}
