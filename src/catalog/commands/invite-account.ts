import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { ServiceAccessRepository } from '../service-access.repository.js';

/** Lets somebody see and install a service that is not for everybody yet. */
@Injectable()
export class InviteAccount {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: ServiceAccessRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** Inviting an address again changes nothing. */
  async run(actor: Actor, slug: string, address: string): Promise<void> {
    const email = address.toLowerCase();
    await this.db.transaction('manifest.invite', async (tx) => {
      const { service } = await this.access.getPublished(tx, actor, slug);
      const isNew = await this.access.invite(tx, {
        addonServiceId: service.id,
        email,
        accountId: actor.accountId,
        createdAt: this.clock.now(),
      });
      if (!isNew) return;
      await this.audit.add(tx, authorOf(actor), {
        action: 'service.account_invited',
        subject: { kind: 'addon_service', id: service.id },
        details: { service: service.name, email },
      });
    });
  }
}
