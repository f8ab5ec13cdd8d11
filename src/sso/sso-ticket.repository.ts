import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { SsoTicketUse } from './sso-ticket-use.entity.js';
import { ssoErrors } from './sso.errors.js';

@Injectable()
export class SsoTicketRepository {
  /** Of several who use one ticket, the first; the others get `sso_ticket_invalid`. */
  async use(tx: Tx, use: SsoTicketUse): Promise<void> {
    await tx
      .insert(SsoTicketUse, use)
      .catch(onConstraint('sso_ticket_uses_pkey', ssoErrors.sso_ticket_invalid));
  }

  /** Forgets uses of tickets that expired before. */
  async forget(tx: Tx, expiredBefore: Date): Promise<void> {
    await tx.delete(SsoTicketUse, { expiresAt: LessThan(expiredBefore) });
  }
}
