import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { AppRepository } from '../apps/app.repository.js';
import { AttachmentRepository } from '../attachments/attachment.repository.js';
import { ReleaseAddonVars } from '../attachments/release-addon-vars.js';
import type { Tx } from '../kernel/db/database.js';

/** Takes in config values that a provider changed: one release on each app that has the add-on. */
@Injectable()
export class ReleaseNewConfig {
  constructor(
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly releaseAddonVars: ReleaseAddonVars,
  ) {}

  /** Values that are what they were make no release. The caller holds the add-on's locks. */
  async run(tx: Tx, addon: Addon, values: Record<string, string>, author: Author, at: Date): Promise<void> {
    const before = this.addons.configOf(addon);
    if (Object.entries(values).every(([name, value]) => before[name] === value)) return;
    await this.addons.setConfig(tx, addon.id, { ...before, ...values }, at);
    const places = await this.attachments.placesOf(tx, addon.id);
    for (const appId of new Set(places.map((one) => one.appId))) {
      const names = places.filter((one) => one.appId === appId).map(({ name }) => name);
      const app = await this.apps.lockEvenDestroyed(tx, appId);
      if (app.destroyedAt !== null) continue;
      await this.releaseAddonVars.run(tx, app, author, `Update ${names.join(', ')} (@ref:${addon.name})`);
    }
  }
}
