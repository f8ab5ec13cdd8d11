import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { planName } from '../../catalog/catalog.entity.js';
import { catalogErrors } from '../../catalog/catalog.errors.js';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { sendPage } from '../shared/paging.js';
import { PagedBy, Requires } from '../shared/route-access.js';
import { presentPlan, presentService } from './present.js';
import type { AddonServiceResource, PlanResource } from './resources.js';

@ApiTags('catalogue')
@Controller('addon-services')
export class PlatformCatalogController {
  constructor(
    private readonly db: Database,
    private readonly catalog: CatalogRepository,
  ) {}

  /** The add-on services that can be had. */
  @Get()
  @PagedBy('name', 'id')
  @Requires('catalog:read')
  async list(
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonServiceResource[]> {
    const page = await this.catalog.listServices(this.db.manager, parseRange(range, ['name', 'id']));
    return sendPage(reply, page, 'id, name', page.items.map(presentService));
  }

  /** One add-on service, by name or id. */
  @Get(':service')
  @Requires('catalog:read')
  async show(@Param('service') service: string): Promise<AddonServiceResource> {
    return presentService(await this.catalog.getService(this.db.manager, service));
  }

  /** The plans of a service that anybody may choose, in the order of its manifest. */
  @Get(':service/plans')
  @Requires('catalog:read')
  async plans(@Param('service') service: string): Promise<PlanResource[]> {
    const { id } = await this.catalog.getService(this.db.manager, service);
    return (await this.catalog.listPlans(this.db.manager, id)).map(presentPlan);
  }

  /** One plan, by its slug, its full name `service:plan`, or its id. */
  @Get(':service/plans/:plan')
  @Requires('catalog:read')
  async plan(@Param('service') service: string, @Param('plan') identity: string): Promise<PlanResource> {
    const { id } = await this.catalog.getService(this.db.manager, service);
    const plans = await this.catalog.listPlans(this.db.manager, id);
    const plan = plans.find((one) => [one.slug, one.id, planName(one)].some((name) => name === identity));
    if (plan === undefined) throw catalogErrors.plan_not_found();
    return presentPlan(plan);
  }
}
