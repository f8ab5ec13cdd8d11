import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { underGeneratedName } from '../../kernel/generated-name.js';
import { newId } from '../../kernel/ids.js';
import type { App } from '../app.entity.js';
import { generatedAppName, parseAppName } from '../app-name.js';
import { AppRepository } from '../app.repository.js';
import { AppendRelease } from '../append-release.js';
import { appErrors } from '../apps.errors.js';
import { EMPTY_ENVIRONMENT } from '../environment.js';
import { DEFAULT_REGION, findRegion } from '../regions.js';

export interface CreateAppInput {
  /** null: Souk makes one up. */
  name: string | null;
  region: string | null;
}

/** Makes an app with its first release. */
@Injectable()
export class CreateApp {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly appendRelease: AppendRelease,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, input: CreateAppInput): Promise<App> {
    return input.name === null
      ? underGeneratedName(generatedAppName, 'app_name_taken', (name) => this.create(actor, name, input))
      : this.create(actor, parseAppName(input.name), input);
  }

  private async create(actor: Actor, name: string, input: CreateAppInput): Promise<App> {
    const region = findRegion(input.region ?? DEFAULT_REGION);
    if (region === undefined) throw appErrors.region_unknown();
    const now = this.clock.now();
    const app: App = {
      id: newId(),
      name,
      ownerId: actor.accountId,
      region: region.name,
      maintenance: false,
      releaseVersion: 0,
      createdAt: now,
      updatedAt: now,
      releasedAt: now,
      destroyedAt: null,
    };
    await this.db.transaction('app.create', async (tx) => {
      app.releaseVersion = 0;
      await this.apps.insert(tx, app);
      await this.audit.add(tx, authorOf(actor), {
        action: 'app.created',
        subject: { kind: 'app', id: app.id },
        appId: app.id,
        details: { name },
      });
      await this.appendRelease.run(tx, app, authorOf(actor), {
        description: 'Initial release',
        changes: { set: [], unset: [] },
        environment: EMPTY_ENVIRONMENT,
        addonPlanNames: [],
      });
    });
    return app;
  }
}
