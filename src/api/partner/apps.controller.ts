import { Controller, Get, Param } from '@nestjs/common';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import type {
  AddonResource,
  AppResource,
  AttachmentResource,
  CollaboratorResource,
} from '../platform/resources.js';
import { RequestShape, type Shape } from '../platform/shape.js';
import { CurrentAddonCaller, ForAddonToken } from '../shared/route-access.js';
import { PartnerAddonViews } from './addon-views.js';

/** The addresses of the Platform API's apps, as a provider's token finds them. */
@Controller('apps')
export class PartnerAppsController {
  constructor(private readonly views: PartnerAddonViews) {}

  @Get()
  @ForAddonToken({ shared: true })
  list(@CurrentAddonCaller() caller: AddonCaller): Promise<AppResource[]> {
    return this.views.apps(caller);
  }

  @Get(':app')
  @ForAddonToken({ shared: true })
  show(@CurrentAddonCaller() caller: AddonCaller, @Param('app') app: string): Promise<AppResource> {
    return this.views.app(caller, app);
  }

  /** Whom the provider may write to about the app: its owner first, then its collaborators. */
  @Get(':app/collaborators')
  @ForAddonToken({ shared: true })
  collaborators(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('app') app: string,
  ): Promise<CollaboratorResource[]> {
    return this.views.collaboratorsOn(caller, app);
  }

  @Get(':app/addons')
  @ForAddonToken({ shared: true })
  addons(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('app') app: string,
    @RequestShape() shape: Shape,
  ): Promise<AddonResource[]> {
    return this.views.addonsOn(caller, app, shape);
  }

  @Get(':app/addon-attachments')
  @ForAddonToken({ shared: true })
  attachments(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('app') app: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource[]> {
    return this.views.attachmentsOn(caller, app, shape);
  }

  @Get(':app/addon-attachments/:attachment')
  @ForAddonToken({ shared: true })
  attachment(
    @CurrentAddonCaller() caller: AddonCaller,
    @Param('app') app: string,
    @Param('attachment') attachment: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource> {
    return this.views.attachmentOn(caller, app, attachment, shape);
  }
}
