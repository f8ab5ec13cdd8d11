import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { newId } from '../../kernel/ids.js';
import type { Secret } from '../../kernel/secret.js';
import type { AccessToken, Account } from '../account.entity.js';
import { AccountRepository } from '../account.repository.js';
import { SYSTEM } from '../actor.js';
import { hashToken } from '../tokens.js';

/** Makes the first operator from the environment, or leaves everything as it is when that was done before. */
@Injectable()
export class EnsureOperator {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(email: string, token: Secret): Promise<Account> {
    return this.db.transaction('operator.ensure', async (tx) => {
      // Several processes may start at once with the same environment.
      await tx.query("SELECT pg_advisory_xact_lock(hashtext('souk.operator'))");
      const now = this.clock.now();
      let account = await this.accounts.findByEmail(tx, email);
      if (account === null) {
        account = { id: newId(), email, name: null, isOperator: true, createdAt: now, updatedAt: now };
        await this.accounts.insert(tx, account);
        await this.audit.add(tx, SYSTEM, {
          action: 'account.created',
          subject: { kind: 'account', id: account.id },
          details: { email, operator: true },
        });
      } else if (!account.isOperator) {
        await this.accounts.makeOperator(tx, account.id, now);
        await this.audit.add(tx, SYSTEM, {
          action: 'account.made_operator',
          subject: { kind: 'account', id: account.id },
          details: { email },
        });
      }
      const hash = hashToken(token.reveal());
      if ((await this.accounts.findTokenByHash(tx, hash)) === null) {
        const made: AccessToken = {
          id: newId(),
          accountId: account.id,
          tokenHash: hash,
          description: 'SOUK_ADMIN_TOKEN',
          scopes: ['global', 'admin'],
          expiresAt: null,
          revokedAt: null,
          createdAt: now,
        };
        await this.accounts.insertToken(tx, made);
        await this.audit.add(tx, SYSTEM, {
          action: 'token.created',
          subject: { kind: 'token', id: made.id },
          details: { description: made.description, scopes: made.scopes },
        });
      }
      return account;
    });
  }
}
