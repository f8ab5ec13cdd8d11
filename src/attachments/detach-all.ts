import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AppRepository } from '../apps/app.repository.js';
import { ReleaseRepository } from '../apps/release.repository.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import type { AppId } from '../kernel/ids.js';
import { AttachmentRepository, type AttachmentPlace } from './attachment.repository.js';
import { ReleaseAddonVars } from './release-addon-vars.js';

/** Takes an add-on off every app that it is attached to: its config vars go, with one release on each app. */
@Injectable()
export class DetachAll {
  constructor(
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly attachments: AttachmentRepository,
    private readonly releases: ReleaseRepository,
    private readonly releaseAddonVars: ReleaseAddonVars,
  ) {}

  /**
   * Apps are locked in the order of their ids, so that two of these never wait for one another in a circle. An add-on
   * that was never provisioned exported nothing, so its apps need no release; neither does an app that is gone.
   */
  async run(tx: Tx, addon: Addon, author: Author): Promise<void> {
    const attachments = await this.attachments.placesOf(tx, addon.id);
    for (const [appId, group] of byApp(attachments)) {
      const app = await this.apps.lockEvenDestroyed(tx, appId);
      for (const { id } of group) {
        await this.attachments.detach(tx, id, this.clock.now());
        await this.releases.unreserve(tx, id);
      }
      if (app.destroyedAt !== null || addon.provisionedAt === null) continue;
      const names = group.map(({ name }) => name).join(', ');
      await this.releaseAddonVars.run(tx, app, author, `Detach ${names} (@ref:${addon.name})`);
    }
  }
}

function byApp(attachments: AttachmentPlace[]): [AppId, AttachmentPlace[]][] {
  const groups = new Map<AppId, AttachmentPlace[]>();
  for (const attachment of attachments)
    groups.set(attachment.appId, [...(groups.get(attachment.appId) ?? []), attachment]);
  return [...groups];
}
