import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { Database } from '../../kernel/db/database.js';
import { PauseProvisioning } from '../../provisioning/commands/pause.js';
import { ResumeProvisioning } from '../../provisioning/commands/resume.js';
import { ProviderListRepository } from '../../provisioning/provider-list.repository.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { PauseBody, ReasonBody } from './operations.dto.js';
import { presentPause, presentProvider } from './present-operator.js';
import type { PauseResource, ProviderResource } from './operator-resources.js';

/** Whether providers answer, and pauses. */
@ApiTags('operator')
@Controller('admin')
export class AdminProvidersController {
  constructor(
    private readonly db: Database,
    private readonly providers: ProviderListRepository,
    private readonly pause: PauseProvisioning,
    private readonly resume: ResumeProvisioning,
  ) {}

  /** All providers, with the state of their circuit and what is open there. */
  @Get('providers')
  @Requires('admin')
  async list(): Promise<ProviderResource[]> {
    const pauses = await this.providers.listPauses(this.db.manager);
    const providers = await this.providers.list(this.db.manager);
    return providers.map((one) => presentProvider(one, pauses));
  }

  /** What is paused now, oldest first. */
  @Get('pauses')
  @Requires('admin')
  async pauses(): Promise<PauseResource[]> {
    return (await this.providers.listPauses(this.db.manager)).map(presentPause);
  }

  /** Pauses a service's provider, a plan or a region. What is paused already stays so, with the reason that it has. */
  @Post('pauses')
  @HttpCode(200)
  @Requires('admin')
  async begin(@CurrentActor() actor: Actor, @Body() body: PauseBody): Promise<PauseResource> {
    const { reason, ...target } = body;
    return presentPause(await this.pause.run(actor, target, reason));
  }

  /** Ends a pause. What it held goes on within seconds. */
  @Post('pauses/:pause/resume')
  @HttpCode(200)
  @Requires('admin')
  async end(
    @CurrentActor() actor: Actor,
    @Param('pause') pause: string,
    @Body() body: ReasonBody,
  ): Promise<PauseResource> {
    return presentPause(await this.resume.run(actor, pause, body.reason));
  }
}
