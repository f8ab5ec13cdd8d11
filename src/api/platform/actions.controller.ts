import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { ReadActions } from '../../provisioning/actions/read-actions.js';
import { RunAction } from '../../provisioning/actions/run-action.js';
import { SettleOperation } from '../../provisioning/settle-operation.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { ActionRunResource, RunActionBody, type ActionResource } from './actions.dto.js';
import { presentAction, presentActionRun } from './actions.present.js';

@ApiTags('actions')
@Controller('addons/:addon/actions')
export class PlatformActionsController {
  constructor(
    private readonly read: ReadActions,
    private readonly runAction: RunAction,
    private readonly settle: SettleOperation,
  ) {}

  /** What the provider of an add-on offers to do with it. */
  @Get()
  @Requires('addons:read')
  async list(@CurrentActor() actor: Actor, @Param('addon') addon: string): Promise<ActionResource[]> {
    return (await this.read.list(actor, addon)).map(presentAction);
  }

  /**
   * Runs an action. 200: it is done. 202: the provider is still at it; ask for the run until its state is no longer
   * `pending`. A command needs the scope `addons:write`.
   */
  @Post(':name')
  @HttpCode(200)
  @Requires('addons:read')
  @ApiAcceptedResponse({ type: ActionRunResource, description: 'The provider has not finished yet.' })
  async run(
    @CurrentActor() actor: Actor,
    @Param('addon') addon: string,
    @Param('name') name: string,
    @Body() body: RunActionBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ActionRunResource> {
    const { addonId, operationId } = await this.runAction.run(actor, {
      addon,
      name,
      params: body?.params ?? {},
      confirm: body?.confirm ?? null,
    });
    await this.settle.soon(addonId);
    const run = presentActionRun(await this.read.settled(actor, addonId, name, operationId));
    if (run.state === 'pending') void reply.status(202);
    return run;
  }

  /** One run of an action, with its result when it has ended. */
  @Get(':name/runs/:run')
  @Requires('addons:read')
  async showRun(
    @CurrentActor() actor: Actor,
    @Param('addon') addon: string,
    @Param('name') name: string,
    @Param('run') run: string,
  ): Promise<ActionRunResource> {
    return presentActionRun(await this.read.run(actor, addon, name, run));
  }
}
