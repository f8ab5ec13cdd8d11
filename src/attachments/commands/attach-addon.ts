import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { addonErrors } from '../../addons/addons.errors.js';
import type { App } from '../../apps/app.entity.js';
import { AppRepository } from '../../apps/app.repository.js';
import { ReleaseRepository } from '../../apps/release.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import type { AttachmentId } from '../../kernel/ids.js';
import { Attach } from '../attach.js';
import type { Attachment } from '../attachment.entity.js';
import { parseAttachmentName } from '../attachment-names.js';
import { AttachmentRepository } from '../attachment.repository.js';
import { attachmentErrors } from '../attachments.errors.js';
import { ReleaseAddonVars } from '../release-addon-vars.js';

export interface AttachAddonInput {
  /** Name or id. */
  addon: string;
  /** Name or id of the app that it is attached to. */
  app: string;
  /** null: the first default name that is free. */
  name: string | null;
  /** The app's name or id: an attachment of this name may be replaced. */
  confirm: string | null;
}

/** The tables that attaching reads and writes. */
@Injectable()
export class AttachRepositories {
  constructor(
    readonly apps: AppRepository,
    readonly addons: AddonRepository,
    readonly attachments: AttachmentRepository,
    readonly releases: ReleaseRepository,
  ) {}
}

/**
 * Attaches an add-on to an app, under one more name: the provider is not asked. Its values reach the app with one
 * release, or with that of its creation while that is under way.
 */
@Injectable()
export class AttachAddon {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly repositories: AttachRepositories,
    private readonly attach: Attach,
    private readonly releaseAddonVars: ReleaseAddonVars,
    private readonly audit: AuditTrail,
  ) {}

  /** The id of the attachment; of the one that there is, where the app has this add-on under this name already. */
  async run(actor: Actor, input: AttachAddonInput): Promise<AttachmentId> {
    const name = input.name === null ? null : parseAttachmentName(input.name);
    return this.db.transaction('attachment.create', async (tx) => {
      const { attachments } = this.repositories;
      const { app, addon } = await this.lock(tx, actor, input);
      await this.assertShareable(tx, app, addon);
      const there = name === null ? null : await attachments.findOnApp(tx, app.id, name);
      if (there?.addonId === addon.id) return there.id;
      if (there !== null) await this.replace(tx, actor, app, there, input.confirm);
      const { id, name: given } = await this.attach.run(tx, app, addon.id, addon.plan.addonService, name);
      await this.audit.add(tx, authorOf(actor), {
        action: 'attachment.created',
        subject: { kind: 'attachment', id },
        appId: app.id,
        details: { addon: addon.name, app: app.name, name: given },
      });
      await this.release(tx, actor, app, addon, given, there);
      return id;
    });
  }

  /**
   * Both apps, then the add-on, as everywhere. The owning app too: its end asks who shares its add-ons, and that must
   * not change between the question and the end.
   */
  private async lock(tx: Tx, actor: Actor, input: AttachAddonInput): Promise<{ app: App; addon: Addon }> {
    const { apps, addons } = this.repositories;
    const target = await apps.getForActor(tx, actor, input.app);
    const seen = await addons.getForActor(tx, actor, input.addon, this.clock.now());
    await apps.lockAll(tx, [target.id, seen.appId]);
    const app = await apps.lockForActor(tx, actor, target.id);
    if ((await apps.findForActor(tx, actor, seen.appId)) === null)
      throw attachmentErrors.addon_of_another_app({
        message: `${seen.name} belongs to ${seen.app.name}; only who may use that app can share it.`,
        app: { name: seen.app.name },
      });
    const addon = await addons.lock(tx, seen.id);
    if (addon.removedAt !== null) throw addonErrors.addon_not_found();
    if (addon.deleteRequestedAt !== null)
      throw addonErrors.operation_in_flight({
        message: `${addon.name} is being destroyed, so that it cannot be attached.`,
      });
    return { app, addon };
  }

  private async assertShareable(tx: Tx, app: App, addon: Addon): Promise<void> {
    const service = addon.plan.addonService;
    if (app.id !== addon.appId && !service.requires.includes('attachable'))
      throw attachmentErrors.not_attachable({
        message: `Add-ons of ${service.name} cannot be attached to another app than their own.`,
      });
    if (
      !service.requires.includes('many_per_app') &&
      (await this.repositories.addons.hasService(tx, app.id, service.id, addon.id))
    )
      throw addonErrors.one_per_app({
        message: `${app.name} has an add-on of ${service.name} already, and the service allows one for each app.`,
      });
  }

  /** The attachment that has the name goes, where that was confirmed; its add-on lives on. */
  private async replace(
    tx: Tx,
    actor: Actor,
    app: App,
    there: Attachment,
    confirm: string | null,
  ): Promise<void> {
    if (confirm !== app.name && confirm !== app.id)
      throw attachmentErrors.confirmation_required({
        message: `${app.name} has ${there.addon.name} attached as ${there.name}; attaching another add-on under this name detaches it and replaces its config vars.`,
        app: { name: app.name },
      });
    await this.repositories.attachments.detach(tx, there.id, this.clock.now());
    await this.repositories.releases.unreserve(tx, there.id);
    await this.audit.add(tx, authorOf(actor), {
      action: 'attachment.deleted',
      subject: { kind: 'attachment', id: there.id },
      appId: app.id,
      details: { addon: there.addon.name, app: app.name, name: there.name, replaced: true },
    });
  }

  private async release(
    tx: Tx,
    actor: Actor,
    app: App,
    addon: Addon,
    name: string,
    replaced: Attachment | null,
  ): Promise<void> {
    const brings = addon.state === 'provisioned' ? [`Attach ${name} (@ref:${addon.name})`] : [];
    const takes =
      replaced?.addon.state === 'provisioned'
        ? [`Detach ${replaced.name} (@ref:${replaced.addon.name})`]
        : [];
    if (brings.length + takes.length === 0) return;
    await this.releaseAddonVars.run(tx, app, authorOf(actor), [...takes, ...brings].join(', '));
  }
}
