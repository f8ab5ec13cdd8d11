import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import type { App } from '../../apps/app.entity.js';
import { AppRepository } from '../../apps/app.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { RequestDeprovision } from './destroy-addon.js';

/** Destroys an app and asks for the deletion of every add-on that it owns. Its name is free at once. */
@Injectable()
export class DestroyApp {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly request: RequestDeprovision,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, identity: string): Promise<App> {
    return this.db.transaction('app.destroy', async (tx) => {
      const app = await this.apps.lockForActor(tx, actor, identity);
      // Marked first: the deletes below then make no releases on an app that is gone.
      await this.apps.markDestroyed(tx, app.id, this.clock.now());
      for (;;) {
        const addons = await this.addons.listUndeleted(tx, app.id);
        if (addons.length === 0) break;
        for (const { id } of addons) await this.request.run(tx, id, authorOf(actor));
      }
      await this.audit.add(tx, authorOf(actor), {
        action: 'app.destroyed',
        subject: { kind: 'app', id: app.id },
        appId: app.id,
        details: { name: app.name },
      });
      return app;
    });
  }
}
