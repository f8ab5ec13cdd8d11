import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { App } from '../app.entity.js';
import { assertOwner } from '../app-access.js';
import { parseAppName } from '../app-name.js';
import { AppRepository } from '../app.repository.js';

/** Renames an app, which only its owner may, or sets its maintenance flag. The old name is free at once. */
@Injectable()
export class UpdateApp {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, identity: string, input: { name?: string; maintenance?: boolean }): Promise<App> {
    const name = input.name === undefined ? undefined : parseAppName(input.name);
    return this.db.transaction('app.update', async (tx) => {
      const app = await this.apps.lockForActor(tx, actor, identity);
      const now = this.clock.now();
      if (name !== undefined && name !== app.name) {
        assertOwner(app, actor);
        await this.apps.rename(tx, app.id, name, now);
        await this.audit.add(tx, authorOf(actor), {
          action: 'app.renamed',
          subject: { kind: 'app', id: app.id },
          appId: app.id,
          details: { from: app.name, to: name },
        });
      }
      if (input.maintenance !== undefined && input.maintenance !== app.maintenance) {
        await this.apps.setMaintenance(tx, app.id, input.maintenance, now);
        await this.audit.add(tx, authorOf(actor), {
          action: 'app.maintenance_changed',
          subject: { kind: 'app', id: app.id },
          appId: app.id,
          details: { maintenance: input.maintenance },
        });
      }
      return this.apps.get(tx, app.id);
    });
  }
}
