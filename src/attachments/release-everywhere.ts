import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AppRepository } from '../apps/app.repository.js';
import type { Tx } from '../kernel/db/database.js';
import { AttachmentRepository } from './attachment.repository.js';
import { ReleaseAddonVars } from './release-addon-vars.js';

/** Makes one release on each app that has an add-on, in which its values become what it now exports. */
@Injectable()
export class ReleaseEverywhere {
  constructor(
    private readonly apps: AppRepository,
    private readonly attachments: AttachmentRepository,
    private readonly releaseAddonVars: ReleaseAddonVars,
  ) {}

  /** Apps are locked in the order of their ids, as everywhere. An app that is gone gets no release. */
  async run(tx: Tx, addon: Addon, author: Author, verb: 'Attach' | 'Update'): Promise<void> {
    const attachments = await this.attachments.placesOf(tx, addon.id);
    for (const appId of new Set(attachments.map((one) => one.appId))) {
      const names = attachments.filter((one) => one.appId === appId).map(({ name }) => name);
      const app = await this.apps.lockEvenDestroyed(tx, appId);
      if (app.destroyedAt !== null) continue;
      await this.releaseAddonVars.run(tx, app, author, `${verb} ${names.join(', ')} (@ref:${addon.name})`);
    }
  }
}
