import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { Tx } from '../../kernel/db/database.js';
import type { Addon } from '../addon.entity.js';
import { GrantRepository } from './grant.repository.js';

/** Ends a provider's access to an add-on that is gone, in the transaction in which it goes. */
@Injectable()
export class RevokeAccess {
  constructor(
    private readonly grants: GrantRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(tx: Tx, addon: Addon, author: Author, at: Date): Promise<void> {
    const tokens = await this.grants.revokeAll(tx, addon.id, at);
    if (tokens === 0) return;
    await this.audit.add(tx, author, {
      action: 'addon.access_revoked',
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, tokens },
    });
  }
}
