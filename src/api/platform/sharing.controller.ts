import { Body, Controller, Delete, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { attachmentErrors } from '../../attachments/attachments.errors.js';
import { AttachmentRepository } from '../../attachments/attachment.repository.js';
import { AttachAddon } from '../../attachments/commands/attach-addon.js';
import { DetachAddon } from '../../attachments/commands/detach-addon.js';
import { Database } from '../../kernel/db/database.js';
import { SsoTickets } from '../../sso/sso-tickets.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { presentAttachment } from './present.js';
import type { AttachmentResource } from './resources.js';
import { RequestShape, type Shape } from './shape.js';
import { AttachAddonBody, identityIn } from './sharing.dto.js';

@ApiTags('attachments')
@Controller('addon-attachments')
export class PlatformSharingController {
  constructor(
    private readonly db: Database,
    private readonly attachments: AttachmentRepository,
    private readonly attachAddon: AttachAddon,
    private readonly detachAddon: DetachAddon,
    private readonly tickets: SsoTickets,
  ) {}

  /** Attaches an add-on to an app: its config vars reach that app with one release. */
  @Post()
  @Requires('addons:write')
  async attach(
    @CurrentActor() actor: Actor,
    @Body() body: AttachAddonBody,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource> {
    if (namesCredential(body)) throw attachmentErrors.namespace_unknown();
    const id = await this.attachAddon.run(actor, {
      addon: identityIn(body.addon, 'addon'),
      app: identityIn(body.app, 'app'),
      name: body.name ?? null,
      confirm: body.confirm ?? null,
    });
    const attachment = await this.attachments.getForActor(this.db.manager, actor, id);
    const target = { addonId: attachment.addonId, attachmentId: attachment.id };
    return presentAttachment(attachment, shape, this.tickets.address(actor, target));
  }

  /** Takes an add-on off an app: its config vars leave with one release. The add-on itself lives on. */
  @Delete(':attachment')
  @Requires('addons:write')
  async detach(
    @CurrentActor() actor: Actor,
    @Param('attachment') attachment: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource> {
    return presentAttachment(await this.detachAddon.run(actor, attachment), shape);
  }
}

/** Add-ons have the default credential and no other, which clients name by leaving this out. */
function namesCredential({ namespace }: AttachAddonBody): boolean {
  return namespace !== undefined && namespace !== null && namespace !== 'credential:default';
}
