import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import type { App } from '../apps/app.entity.js';
import { ReleaseRepository } from '../apps/release.repository.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import type { AppId } from '../kernel/ids.js';
import { AttachmentRepository } from './attachment.repository.js';
import { attachmentErrors } from './attachments.errors.js';

/** How a caller says that other apps may lose config vars: `{"force": true}`, or the owning app's name or id. */
export interface Confirmation {
  force: boolean;
  confirm: string | null;
}

/** What the end of an add-on or of an app means for the other apps that share its add-ons. */
@Injectable()
export class SharedAddons {
  constructor(
    private readonly clock: Clock,
    private readonly attachments: AttachmentRepository,
    private readonly releases: ReleaseRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** The caller holds the add-on's locks. Throws `confirmation_required` where other apps have it and nobody confirmed. */
  async assertConfirmed(tx: Tx, addon: Addon, confirmation: Confirmation): Promise<void> {
    if (isConfirmed(addon.app, confirmation) || addon.deleteRequestedAt !== null) return;
    const apps = await this.attachments.otherAppsOfAddon(tx, addon.id);
    if (apps.length === 0) return;
    throw attachmentErrors.confirmation_required({
      message: `${addon.name} is attached to ${listed(apps)} too, which would lose its config vars; repeat with --force to destroy it all the same.`,
      app: { name: addon.app.name },
    });
  }

  /** Takes the locks of an app that is to be destroyed: before any other lock, so that they are taken in one order. */
  async lockAround(tx: Tx, appId: AppId): Promise<void> {
    await this.attachments.lockAppsAround(tx, appId);
  }

  /**
   * An app ends, under those locks. Its own add-ons are attached elsewhere only where that was confirmed; those of
   * other apps are detached from it, which needs no release any more.
   */
  async leave(tx: Tx, app: App, author: Author, confirmation: Confirmation): Promise<void> {
    const apps = isConfirmed(app, confirmation) ? [] : await this.attachments.otherAppsOfApp(tx, app.id);
    if (apps.length > 0)
      throw attachmentErrors.confirmation_required({
        message: `Add-ons of ${app.name} are attached to ${listed(apps)} too, which would lose their config vars; detach them first, destroy them with "heroku addons:destroy --force", or send {"force": true}.`,
        app: { name: app.name },
      });
    for (const { id, name, addon } of await this.attachments.borrowedOnApp(tx, app.id)) {
      await this.attachments.detach(tx, id, this.clock.now());
      await this.releases.unreserve(tx, id);
      await this.audit.add(tx, author, {
        action: 'attachment.deleted',
        subject: { kind: 'attachment', id },
        appId: app.id,
        details: { addon, app: app.name, name },
      });
    }
  }
}

function isConfirmed(app: Pick<App, 'id' | 'name'>, { force, confirm }: Confirmation): boolean {
  return force || confirm === app.name || confirm === app.id;
}

const NAMES_SHOWN_MAX = 5;

function listed(names: string[]): string {
  const more = names.length - NAMES_SHOWN_MAX;
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
