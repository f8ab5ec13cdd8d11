import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import type { Addon, AddonNotice } from '../../addons/addon.entity.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { AppRepository } from '../../apps/app.repository.js';
import { AttachmentRepository } from '../../attachments/attachment.repository.js';
import { Resolve } from '../../attachments/resolve.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { SsoTickets } from '../../sso/sso-tickets.js';
import { AddonNotices } from '../../provisioning/addon-notices.js';
import { sendPage } from '../shared/paging.js';
import { presentAddon, presentNotice } from './present.js';
import type { AddonResource, NoticeResource } from './resources.js';
import type { Shape } from './shape.js';

/** Reads add-ons for the Platform API. Open notices go along as a warning that the CLI prints. */
@Injectable()
export class AddonViews {
  constructor(
    private readonly db: Database,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly notes: AddonNotices,
    private readonly resolver: Resolve,
    private readonly tickets: SsoTickets,
  ) {}

  async list(
    actor: Actor,
    appIdentity: string | null,
    shape: Shape,
    range: string | undefined,
    reply: FastifyReply,
  ): Promise<AddonResource[]> {
    const tx = this.db.manager;
    const app = appIdentity === null ? null : await this.apps.getForActor(tx, actor, appIdentity);
    const page = await this.addons.listForActor(
      tx,
      actor,
      app?.id ?? null,
      parseRange(range, ['name', 'id']),
    );
    return sendPage(reply, page, 'id, name', await this.present(page.items, shape, reply, null));
  }

  async find(actor: Actor, identity: string, appIdentity: string | null): Promise<Addon> {
    return this.resolver.get(actor, identity, appIdentity);
  }

  /** With an actor, `web_url` holds a ticket for that one. */
  async one(
    addon: Addon,
    shape: Shape,
    reply: FastifyReply,
    actor: Actor | null = null,
  ): Promise<AddonResource> {
    const attachments = await this.attachments.listOfAddon(this.db.manager, addon.id);
    const notices = await this.openNotices([addon], reply);
    return {
      ...presentAddon(addon, attachments, shape, this.webUrl(addon, actor)),
      notices: notices.map(presentNotice),
    };
  }

  async resolve(
    actor: Actor,
    identity: string,
    app: string | null,
    shape: Shape,
    reply: FastifyReply,
  ): Promise<AddonResource[]> {
    return this.present(await this.resolver.addonsFor(actor, identity, app), shape, reply, actor);
  }

  async notices(actor: Actor, identity: string): Promise<NoticeResource[]> {
    const addon = await this.find(actor, identity, null);
    return (await this.notes.list(this.db.manager, addon)).map(presentNotice);
  }

  private async present(
    addons: Addon[],
    shape: Shape,
    reply: FastifyReply,
    actor: Actor | null,
  ): Promise<AddonResource[]> {
    const attachments = await this.attachments.listOfAddons(
      this.db.manager,
      addons.map(({ id }) => id),
    );
    const notices = await this.openNotices(addons, reply);
    return addons.map((addon) => ({
      ...presentAddon(
        addon,
        attachments.filter((one) => one.addonId === addon.id),
        shape,
        this.webUrl(addon, actor),
      ),
      notices: notices.filter((one) => one.addonId === addon.id).map(presentNotice),
    }));
  }

  private webUrl(addon: Addon, actor: Actor | null): string {
    const target = { addonId: addon.id, attachmentId: null };
    return actor === null ? this.tickets.page(target) : this.tickets.address(actor, target);
  }

  /** The loud ones go along as `X-Heroku-Warning`, which the CLI prints on any command. */
  private async openNotices(addons: Addon[], reply: FastifyReply): Promise<AddonNotice[]> {
    const open = await this.notes.listOpen(this.db.manager, addons);
    const loud = open.filter(({ severity }) => severity !== 'info').slice(0, 5);
    if (loud.length === 0) return open;
    const names = new Map(addons.map(({ id, name }) => [id, name]));
    const text = loud.map((notice) => `${names.get(notice.addonId)}: ${notice.message}`).join(' ');
    // Header values are Latin-1; anything else would make the answer fail.
    void reply.header('x-heroku-warning', text.replace(/[^\x20-\x7e]/g, '?'));
    return open;
  }
}
