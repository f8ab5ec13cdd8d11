import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { OpenAddon } from '../../sso/commands/open-addon.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import type { SsoResource } from './resources.js';

@ApiTags('add-ons')
@Controller('apps/:app/addons/:addon/sso')
export class PlatformSsoController {
  constructor(private readonly openAddon: OpenAddon) {}

  /** The form by which the caller signs on to the add-on's dashboard. Its tokens are made for this answer. */
  @Get()
  @Requires('addons:write')
  @Header('cache-control', 'no-store')
  show(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Param('addon') addon: string,
  ): Promise<SsoResource> {
    return this.openAddon.run(actor, app, addon);
  }
}
