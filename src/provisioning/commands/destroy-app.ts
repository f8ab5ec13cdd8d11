import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { assertOwner } from '../../apps/app-access.js';
import type { App } from '../../apps/app.entity.js';
import { AppRepository } from '../../apps/app.repository.js';
import { SharedAddons, type Confirmation } from '../../attachments/shared-addons.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { RequestDeprovision } from './destroy-addon.js';

/**
 * Destroys an app, which only its owner may, and asks for the deletion of every add-on that it owns. Where other apps
 * share one of these, that has to be confirmed. Its name is free at once.
 */
@Injectable()
export class DestroyApp {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly shared: SharedAddons,
    private readonly request: RequestDeprovision,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, identity: string, confirmation: Confirmation): Promise<App> {
    return this.db.transaction('app.destroy', async (tx) => {
      const known = await this.apps.getForActor(tx, actor, identity);
      assertOwner(known, actor);
      await this.shared.lockAround(tx, known.id);
      const app = await this.apps.lockForActor(tx, actor, known.id);
      await this.shared.leave(tx, app, authorOf(actor), confirmation);
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
