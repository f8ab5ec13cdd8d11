import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AppRepository } from '../../apps/app.repository.js';
import { ReleaseRepository } from '../../apps/release.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { Attachment } from '../attachment.entity.js';
import { AttachmentRepository } from '../attachment.repository.js';
import { ReleaseAddonVars } from '../release-addon-vars.js';

/**
 * Takes one attachment off its app, with one release. The add-on lives on, and is charged for, also when that was its
 * last: only a delete ends it.
 */
@Injectable()
export class DetachAddon {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly attachments: AttachmentRepository,
    private readonly releases: ReleaseRepository,
    private readonly releaseAddonVars: ReleaseAddonVars,
    private readonly audit: AuditTrail,
  ) {}

  /** Whoever may use the attachment's app may do it, and whoever may use the app that owns the add-on. */
  async run(actor: Actor, identity: string): Promise<Attachment> {
    return this.db.transaction('attachment.delete', async (tx) => {
      const { appId } = await this.attachments.getForActor(tx, actor, identity);
      const app = await this.apps.lock(tx, appId);
      // Again under the lock: another may have detached it meanwhile, or the actor's access may be gone.
      const attachment = await this.attachments.getForActor(tx, actor, identity);
      await this.attachments.detach(tx, attachment.id, this.clock.now());
      await this.releases.unreserve(tx, attachment.id);
      await this.audit.add(tx, authorOf(actor), {
        action: 'attachment.deleted',
        subject: { kind: 'attachment', id: attachment.id },
        appId: app.id,
        details: { addon: attachment.addon.name, app: app.name, name: attachment.name },
      });
      if (attachment.addon.state === 'provisioned')
        await this.releaseAddonVars.run(
          tx,
          app,
          authorOf(actor),
          `Detach ${attachment.name} (@ref:${attachment.addon.name})`,
        );
      return attachment;
    });
  }
}
