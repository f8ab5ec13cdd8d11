import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { AppRepository } from '../../apps/app.repository.js';
import type { Attachment } from '../../attachments/attachment.entity.js';
import { AttachmentRepository } from '../../attachments/attachment.repository.js';
import { Resolve } from '../../attachments/resolve.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { SsoTickets, type SsoTarget } from '../../sso/sso-tickets.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { ResolveAttachmentBody } from './bodies.dto.js';
import { presentAttachment } from './present.js';
import type { AttachmentResource } from './resources.js';
import { RequestShape, type Shape } from './shape.js';

@ApiTags('attachments')
@Controller()
export class PlatformAttachmentsController {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly resolver: Resolve,
    private readonly tickets: SsoTickets,
  ) {}

  /** All attachments on the caller's apps, and those of the add-ons that these own, wherever they are. */
  @Get('addon-attachments')
  @PagedBy('id', 'name')
  @Requires('addons:read')
  async list(
    @CurrentActor() actor: Actor,
    @RequestShape() shape: Shape,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AttachmentResource[]> {
    const page = await this.attachments.listForActor(
      this.db.manager,
      actor,
      parseRange(range, ['id', 'name']),
    );
    return sendPage(
      reply,
      page,
      'id, name',
      page.items.map((one) => presentAttachment(one, shape, this.tickets.page(targetOf(one)))),
    );
  }

  /** One attachment, by id. */
  @Get('addon-attachments/:attachment')
  @Requires('addons:read')
  async show(
    @CurrentActor() actor: Actor,
    @Param('attachment') attachment: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource> {
    return this.present(actor, await this.attachments.getForActor(this.db.manager, actor, attachment), shape);
  }

  /** The attachments of an add-on, oldest first: all of them for who may use the app that owns it. */
  @Get('addons/:addon/addon-attachments')
  @Requires('addons:read')
  async ofAddon(
    @CurrentActor() actor: Actor,
    @Param('addon') identity: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource[]> {
    const addon = await this.addons.getForActor(this.db.manager, actor, identity, this.clock.now());
    const attachments = await this.attachments.listOfAddonForActor(this.db.manager, actor, addon.id);
    return attachments.map((one) => this.present(actor, one, shape));
  }

  /** The attachments on an app, oldest first. */
  @Get('apps/:app/addon-attachments')
  @Requires('addons:read')
  async ofApp(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource[]> {
    const app = await this.apps.getForActor(this.db.manager, actor, identity);
    return (await this.attachments.listOfApp(this.db.manager, app.id)).map((one) =>
      presentAttachment(one, shape, this.tickets.page(targetOf(one))),
    );
  }

  /** One attachment on an app, by name or id. */
  @Get('apps/:app/addon-attachments/:attachment')
  @Requires('addons:read')
  async oneOfApp(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @Param('attachment') attachment: string,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource> {
    const app = await this.apps.getForActor(this.db.manager, actor, identity);
    return this.present(actor, await this.attachments.getOfApp(this.db.manager, app.id, attachment), shape);
  }

  /** The attachments that a typed identity may mean. */
  @Post('actions/addon-attachments/resolve')
  @HttpCode(200)
  @Requires('addons:read')
  async resolve(
    @CurrentActor() actor: Actor,
    @Body() body: ResolveAttachmentBody,
    @RequestShape() shape: Shape,
  ): Promise<AttachmentResource[]> {
    const found = await this.resolver.attachmentsFor(actor, body.addon_attachment, body.app ?? null);
    return found.map((one) => this.present(actor, one, shape));
  }

  /** What is looked at by itself comes with a ticket in its `web_url`; what is in a long list, without. */
  private present(actor: Actor, attachment: Attachment, shape: Shape): AttachmentResource {
    return presentAttachment(attachment, shape, this.tickets.address(actor, targetOf(attachment)));
  }
}

function targetOf({ id, addonId }: Attachment): SsoTarget {
  return { addonId, attachmentId: id };
}
