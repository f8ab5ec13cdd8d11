import { Controller, Get, Param } from '@nestjs/common';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import type { AddonResource, AttachmentResource } from '../platform/resources.js';
import { RequestShape, type Shape } from '../platform/shape.js';
import { CurrentAddonCaller, ForAddonToken } from '../shared/route-access.js';
import { PartnerAddonViews } from './addon-views.js';

/** The addresses of the Platform API's add-ons, as a provider's token finds them. */
@Controller('addons')
export class PartnerAddonController {
  constructor(private readonly views: PartnerAddonViews) {}

  @Get()
  @ForAddonToken({ shared: true })
  async list(
    @CurrentAddonCaller() caller: AddonCaller,
    @RequestShape() shape: Shape,
  ): Promise<AddonResource[]> {
    return [await this.views.one(caller, caller.addonId, shape)];
  }

  @Get(':addon')
  @ForAddonToken({ shared: true })
  show(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') addon: string,
    @RequestShape() shape: Shape,
  ): Promise<AddonResource> {
    return this.views.one(caller, addon, shape);
  }

  @Get(':addon/addon-attachments')
  @ForAddonToken({ shared: true })
  attachments(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('addon') addon: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource[]> {
    return this.views.attachmentsOf(caller, addon, shape);
  }
}
