import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import { listAddonConfig } from '../../provisioning/addon-config.js';
import { SetAddonConfig } from '../../provisioning/commands/set-addon-config.js';
import { TakeReport } from '../../provisioning/commands/take-report.js';
import { ReadAddonConfig } from '../../provisioning/read-addon-config.js';
import type { AddonResource } from '../platform/resources.js';
import { RequestShape, type Shape } from '../platform/shape.js';
import { CurrentAddonCaller, ForAddonToken } from '../shared/route-access.js';
import { type AddonConfigVarResource, SetAddonConfigBody } from './addon-config.dto.js';
import { PartnerAddonViews } from './addon-views.js';

/** What only a provider may do with its add-on. */
@ApiTags('for providers')
@Controller('addons/:addon')
export class PartnerAddonWorkController {
  constructor(
    private readonly views: PartnerAddonViews,
    private readonly readConfig: ReadAddonConfig,
    private readonly setConfig: SetAddonConfig,
    private readonly takeReport: TakeReport,
  ) {}

  /** The add-on's config, under the provider's own names. */
  @Get('config')
  @ForAddonToken()
  async config(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') identity: string,
  ): Promise<AddonConfigVarResource[]> {
    return listAddonConfig(await this.readConfig.run(caller, await this.views.own(caller, identity)));
  }

  /** Sets and unsets config vars: one release on each app that has the add-on, or none while it is being made. */
  @Patch('config')
  @ForAddonToken()
  async updateConfig(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') identity: string,
    @Body() body: SetAddonConfigBody,
  ): Promise<AddonConfigVarResource[]> {
    await this.views.own(caller, identity);
    return listAddonConfig(await this.setConfig.run(caller, body.config));
  }

  /** What a 202 began is done: the add-on is provisioned. Saying it again changes nothing. */
  @Post('actions/provision')
  @HttpCode(200)
  @ForAddonToken()
  async provisioned(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') identity: string,
    @RequestShape() shape: Shape,
  ): Promise<AddonResource> {
    await this.views.own(caller, identity);
    await this.takeReport.run(caller, 'provisioned');
    return this.views.one(caller, identity, shape);
  }

  /** The add-on could not be made, or its deletion is done. Saying it again changes nothing. */
  @Post('actions/deprovision')
  @HttpCode(200)
  @ForAddonToken({ evenGone: true })
  async deprovisioned(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') identity: string,
    @RequestShape() shape: Shape,
  ): Promise<AddonResource> {
    await this.views.own(caller, identity);
    await this.takeReport.run(caller, 'deprovisioned');
    return this.views.one(caller, identity, shape);
  }
}
