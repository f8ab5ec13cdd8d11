import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { isId, type TokenId } from '../../kernel/ids.js';
import { AccountRepository } from '../account.repository.js';
import { accountErrors } from '../accounts.errors.js';
import { authorOf, type Actor } from '../actor.js';
import { TokenCache } from '../token-cache.js';

/** Ends one of the actor's tokens, at once. */
@Injectable()
export class RevokeToken {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly audit: AuditTrail,
    private readonly cache: TokenCache,
  ) {}

  async run(actor: Actor, id: string): Promise<void> {
    if (!isId(id)) throw accountErrors.token_not_found();
    await this.db.transaction('token.revoke', async (tx) => {
      const revoked = await this.accounts.revokeToken(tx, actor.accountId, id as TokenId, this.clock.now());
      if (!revoked) throw accountErrors.token_not_found();
      await this.audit.add(tx, authorOf(actor), { action: 'token.revoked', subject: { kind: 'token', id } });
    });
    // Other processes are told by PostgreSQL; this one answers the caller and must know already.
    this.cache.forget(null);
  }
}
