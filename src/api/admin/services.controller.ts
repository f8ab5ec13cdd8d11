import { Body, Controller, Param, Patch } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { MoveStage } from '../../catalog/commands/move-stage.js';
import { MoveStageBody } from '../partner/manifests.dto.js';
import { presentService } from '../platform/present.js';
import type { AddonServiceResource } from '../platform/resources.js';
import { CurrentActor, Requires } from '../shared/route-access.js';

@ApiTags('operator')
@Controller('admin/addon-services')
export class AdminServicesController {
  constructor(private readonly moveStage: MoveStage) {}

  /** Moves a service to another stage: alpha to beta, beta to ga or back to alpha, any of them to shutdown. */
  @Patch(':service')
  @Requires('admin')
  async move(
    @CurrentActor() actor: Actor,
    @Param('service') service: string,
    @Body() body: MoveStageBody,
  ): Promise<AddonServiceResource> {
    return presentService(await this.moveStage.run(actor, service, body.state, 'operator'));
  }
}
