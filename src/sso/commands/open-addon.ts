import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { AppRepository } from '../../apps/app.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { SignSso } from '../sign-sso.js';
import type { SsoForm } from '../sso.js';

/** Signs the caller on to an add-on that an app owns or has attached. Who did so is in the audit trail first. */
@Injectable()
export class OpenAddon {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly sign: SignSso,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, appIdentity: string, identity: string): Promise<SsoForm> {
    return this.db.transaction('sso.open', async (tx) => {
      const app = await this.apps.getForActor(tx, actor, appIdentity);
      const addon = await this.addons.getForActor(tx, actor, identity, this.clock.now(), app.id);
      const form = await this.sign.run(tx, { id: actor.accountId, email: actor.email }, addon, app);
      await this.audit.add(tx, authorOf(actor), {
        action: 'addon.opened',
        subject: { kind: 'addon', id: addon.id },
        appId: app.id,
        details: { name: addon.name, app: app.name },
      });
      return form;
    });
  }
}
