import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { InviteAccount } from '../../catalog/commands/invite-account.js';
import { MoveStage } from '../../catalog/commands/move-stage.js';
import { PushManifest } from '../../catalog/commands/push-manifest.js';
import { WithdrawInvitation } from '../../catalog/commands/withdraw-invitation.js';
import { ReadManifests } from '../../catalog/read-manifests.js';
import { presentService } from '../platform/present.js';
import type { AddonServiceResource } from '../platform/resources.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { InvitationBody, MoveStageBody, PushManifestBody } from './manifests.dto.js';
import type {
  InvitationResource,
  ManifestResource,
  ManifestRevisionResource,
} from './manifests.resources.js';
import { PortalErrorFilter } from './portal-error.filter.js';
import { presentInvitation, presentManifest, presentPushed, presentRevision } from './present-manifest.js';

/** The partner portal: how third parties publish a service. For its makers; operators see and push what is not theirs. */
@ApiTags('for providers')
@UseFilters(PortalErrorFilter)
@Controller('api/v3/addons/:slug')
export class PartnerManifestsController {
  constructor(
    private readonly pushManifest: PushManifest,
    private readonly manifests: ReadManifests,
    private readonly moveStage: MoveStage,
    private readonly invite: InviteAccount,
    private readonly withdraw: WithdrawInvitation,
  ) {}

  /** Pushes a manifest. The first push of an id claims it, and its answer alone holds the client secret. */
  @Post('manifests')
  @Requires('manifests:write')
  async push(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
    @Body() body: PushManifestBody,
  ): Promise<ManifestResource> {
    return presentPushed(await this.pushManifest.run(actor, slug, body.contents));
  }

  /** The manifest that is in force. */
  @Get('current_manifest')
  @Requires('manifests:read')
  async current(@CurrentActor() actor: Actor, @Param('slug') slug: string): Promise<ManifestResource> {
    return presentManifest(await this.manifests.current(actor, slug));
  }

  /** Every manifest that was pushed, newest first. */
  @Get('manifests')
  @Requires('manifests:read')
  async list(@CurrentActor() actor: Actor, @Param('slug') slug: string): Promise<ManifestRevisionResource[]> {
    return (await this.manifests.list(actor, slug)).map(presentRevision);
  }

  /** One manifest that was pushed, by the id in the list. */
  @Get('manifests/:id')
  @Requires('manifests:read')
  async one(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
    @Param('id') id: string,
  ): Promise<ManifestResource> {
    return presentManifest(await this.manifests.one(actor, slug, id));
  }

  /** Takes a service of yours back from beta to alpha. The other moves are the operator's. */
  @Patch()
  @Requires('manifests:write')
  async move(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
    @Body() body: MoveStageBody,
  ): Promise<AddonServiceResource> {
    return presentService(await this.moveStage.run(actor, slug, body.state, 'maker'));
  }

  /** Who was invited to see and install the service while it is in alpha, and its plans for the invited. */
  @Get('invitations')
  @Requires('manifests:read')
  async invitations(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
  ): Promise<InvitationResource[]> {
    return (await this.manifests.invitations(actor, slug)).map(presentInvitation);
  }

  /** Invites somebody by e-mail address. Repeating it changes nothing. */
  @Post('invitations')
  @HttpCode(204)
  @Requires('manifests:write')
  async add(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
    @Body() body: InvitationBody,
  ): Promise<void> {
    await this.invite.run(actor, slug, body.email);
  }

  /** Takes an invitation back. Add-ons that were installed by it stay. */
  @Delete('invitations/:email')
  @HttpCode(204)
  @Requires('manifests:write')
  async remove(
    @CurrentActor() actor: Actor,
    @Param('slug') slug: string,
    @Param('email') email: string,
  ): Promise<void> {
    await this.withdraw.run(actor, slug, email);
  }
}
