import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import { newId } from '../kernel/ids.js';
import type { App, Release, ReleaseChanges } from './app.entity.js';
import { AppRepository } from './app.repository.js';
import type { Environment } from './environment.js';
import { ReleaseRepository } from './release.repository.js';

export interface NewRelease {
  description: string;
  changes: ReleaseChanges;
  environment: Environment;
  /** `souk-postgresql:essential-0`, one for each add-on of the app. */
  addonPlanNames: string[];
}

/** The one way to a new release. The caller holds the app's lock, which is what makes versions gapless. */
@Injectable()
export class AppendRelease {
  constructor(
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly releases: ReleaseRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(tx: Tx, app: App, author: Author, input: NewRelease): Promise<Release> {
    const now = this.clock.now();
    const release: Release = {
      id: newId(),
      appId: app.id,
      version: app.releaseVersion + 1,
      description: input.description,
      actorId: author.id,
      actorName: author.name,
      changes: input.changes,
      addonPlanNames: input.addonPlanNames,
      createdAt: now,
    };
    await this.releases.insert(tx, release, input.environment);
    await this.apps.markReleased(tx, app.id, release.version, now);
    await this.audit.add(tx, author, {
      action: 'release.created',
      subject: { kind: 'release', id: release.id },
      appId: app.id,
      details: { version: release.version, description: release.description, ...input.changes },
    });
    app.releaseVersion = release.version;
    return release;
  }
}
