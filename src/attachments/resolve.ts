import { Injectable } from '@nestjs/common';
import type { Actor } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { addonErrors } from '../addons/addons.errors.js';
import { AppRepository } from '../apps/app.repository.js';
import { Clock } from '../kernel/clock.js';
import { Database } from '../kernel/db/database.js';
import { SoukError } from '../kernel/errors.js';
import type { AppId } from '../kernel/ids.js';
import { exportedNames } from './attachment-names.js';
import type { Attachment } from './attachment.entity.js';
import { AttachmentRepository } from './attachment.repository.js';
import { attachmentErrors } from './attachments.errors.js';

/**
 * What a user may type for an add-on: its name or id, an attachment's name, a config var's name, a service, or
 * `app::attachment`. Names of attachments and config vars are matched whatever their case.
 */
@Injectable()
export class Resolve {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
  ) {}

  /** The add-on of this name or id, on one app or anywhere. */
  async get(actor: Actor, identity: string, appIdentity: string | null): Promise<Addon> {
    const tx = this.db.manager;
    const app = appIdentity === null ? null : await this.apps.getForActor(tx, actor, appIdentity);
    return this.addons.getForActor(tx, actor, identity, this.clock.now(), app?.id ?? null);
  }

  /** All add-ons that match; `addon_not_found` where there is none. */
  async addonsFor(actor: Actor, identity: string, appIdentity: string | null): Promise<Addon[]> {
    const scoped = await this.scope(actor, identity, appIdentity);
    const exact = await this.exactAddon(actor, scoped.name, scoped.appId);
    if (exact !== null) return [exact];
    const attached = scoped.appId === null ? [] : await this.matching(scoped.appId, scoped.name);
    if (attached.length > 0) return unique(attached.map(({ addon }) => addon));
    const ofService = await this.addons.listByService(this.db.manager, actor, scoped.name, scoped.appId);
    if (ofService.length > 0) return ofService;
    throw addonErrors.addon_not_found({ message: `Couldn't find the add-on "${identity.slice(0, 100)}".` });
  }

  /** All attachments that match; `attachment_not_found` where there is none. */
  async attachmentsFor(actor: Actor, identity: string, appIdentity: string | null): Promise<Attachment[]> {
    const { name, appId } = await this.scope(actor, identity, appIdentity);
    if (appId !== null) {
      const attached = await this.matching(appId, name);
      if (attached.length > 0) return attached;
    }
    const exact = await this.exactAddon(actor, name, appId);
    const all =
      exact === null ? [] : await this.attachments.listOfAddonForActor(this.db.manager, actor, exact.id);
    const found = all.filter((one) => appId === null || one.appId === appId);
    if (found.length > 0) return found;
    throw attachmentErrors.attachment_not_found({
      message: `Couldn't find the attachment "${identity.slice(0, 100)}".`,
    });
  }

  private async scope(
    actor: Actor,
    identity: string,
    appIdentity: string | null,
  ): Promise<{ name: string; appId: AppId | null }> {
    const [left = '', right] = identity.split('::');
    const app = right === undefined ? appIdentity : left;
    const name = right ?? left;
    if (app === null || app === '') return { name, appId: null };
    return { name, appId: (await this.apps.getForActor(this.db.manager, actor, app)).id };
  }

  private async exactAddon(actor: Actor, name: string, appId: AppId | null): Promise<Addon | null> {
    try {
      return await this.addons.getForActor(this.db.manager, actor, name, this.clock.now(), appId);
    } catch (error) {
      if (error instanceof SoukError && error.id === 'addon_not_found') return null;
      throw error;
    }
  }

  /** The app's attachments of this name, or that export a config var of this name, with or without `_URL`. */
  private async matching(appId: AppId, typed: string): Promise<Attachment[]> {
    const name = typed.toUpperCase();
    return (await this.attachments.listOfApp(this.db.manager, appId)).filter(
      (one) =>
        one.name === name ||
        one.id === typed ||
        exportedNames(one.addon.plan.addonService, one.name).includes(name),
    );
  }
}

function unique(addons: Addon[]): Addon[] {
  return [...new Map(addons.map((addon) => [addon.id, addon])).values()];
}
