import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Database } from '../../kernel/db/database.js';
import { catalogErrors } from '../catalog.errors.js';
import { ServiceAccessRepository } from '../service-access.repository.js';

/** Takes an invitation back. What was installed by it stays. */
@Injectable()
export class WithdrawInvitation {
  constructor(
    private readonly db: Database,
    private readonly access: ServiceAccessRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, slug: string, email: string): Promise<void> {
    await this.db.transaction('manifest.withdraw_invitation', async (tx) => {
      const { service } = await this.access.getPublished(tx, actor, slug);
      if (!(await this.access.withdraw(tx, service.id, email))) throw catalogErrors.invitation_not_found();
      await this.audit.add(tx, authorOf(actor), {
        action: 'service.invitation_withdrawn',
        subject: { kind: 'addon_service', id: service.id },
        details: { service: service.name, email: email.toLowerCase() },
      });
    });
  }
}
