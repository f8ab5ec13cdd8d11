import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { AddonRepository } from '../addons/addon.repository.js';
import type { App } from '../apps/app.entity.js';
import { AppendRelease } from '../apps/append-release.js';
import { replaceAddonVars } from '../apps/environment.js';
import { ReleaseRepository } from '../apps/release.repository.js';
import type { Tx } from '../kernel/db/database.js';
import { exportedName } from './attachment-names.js';
import { AttachmentRepository } from './attachment.repository.js';

/** Makes the release in which an app's add-on values become what its attachments now export. */
@Injectable()
export class ReleaseAddonVars {
  constructor(
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly releases: ReleaseRepository,
    private readonly appendRelease: AppendRelease,
  ) {}

  /** The caller holds the app's lock. */
  async run(tx: Tx, app: App, author: Author, description: string): Promise<void> {
    const exporting = await this.attachments.listExports(tx, app.id);
    const vars: Record<string, string> = {};
    for (const one of exporting)
      for (const [providerName, value] of Object.entries(this.addons.configOf({ ...one, id: one.addonId })))
        vars[exportedName(providerName, one, one.name)] = value;
    const before = await this.releases.environment(tx, app.id, app.releaseVersion);
    const { after, changes } = replaceAddonVars(before, vars);
    await this.appendRelease.run(tx, app, author, {
      description,
      changes,
      environment: after,
      addonPlanNames: [...new Set(exporting.map(({ service, plan }) => `${service}:${plan}`))].sort(),
    });
  }
}
