import { Body, Controller, Get, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { ChangePlan } from '../../provisioning/commands/change-plan.js';
import { QuotePlanChange } from '../../provisioning/quote-plan-change.js';
import { SettleOperation } from '../../provisioning/settle-operation.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { AddonViews } from './addon-views.js';
import { planOf } from './addons.controller.js';
import { ChangePlanBody, PlanChangeQuoteQuery, type PlanChangeQuoteResource } from './plan-change.dto.js';
import { presentPlanChangeQuote } from './plan-change.present.js';
import { AddonResource } from './resources.js';
import { RequestShape, type Shape } from './shape.js';

@ApiTags('add-ons')
@Controller()
export class PlatformPlanChangeController {
  constructor(
    private readonly views: AddonViews,
    private readonly changePlan: ChangePlan,
    private readonly quotePlanChange: QuotePlanChange,
    private readonly settle: SettleOperation,
  ) {}

  /**
   * Changes the plan of an add-on. 200: it has the new plan. 202: the provider has not confirmed it yet, and the change
   * goes on by itself; until it is confirmed the add-on has its old plan, at its old price.
   */
  @Patch('apps/:app/addons/:addon')
  @Requires('addons:write')
  @ApiAcceptedResponse({ type: AddonResource, description: 'The provider has not confirmed the change yet.' })
  async change(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Param('addon') addon: string,
    @Body() body: ChangePlanBody,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource> {
    const plan = planOf(body.plan);
    const { addonId, operationId } = await this.changePlan.run(actor, { app, addon, plan });
    const settled = await this.settle.planChange(addonId, operationId);
    const answer = await this.views.one(settled.addon, shape, reply);
    if (settled.confirmed) return answer;
    void reply.status(202);
    return {
      ...answer,
      provision_message: `The provider has not confirmed ${plan} yet. The change goes on; until then the add-on keeps its plan and its price.`,
    };
  }

  /** What a plan change would bring: price, restarts, time. Nothing is changed. */
  @Get('addons/:addon/plan-change-quote')
  @Requires('addons:read')
  async quote(
    @CurrentActor() actor: Actor,
    @Param('addon') addon: string,
    @Query() query: PlanChangeQuoteQuery,
  ): Promise<PlanChangeQuoteResource> {
    return presentPlanChangeQuote(await this.quotePlanChange.run(actor, addon, query.plan));
  }
}
