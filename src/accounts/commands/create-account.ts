import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { newId } from '../../kernel/ids.js';
import type { Secret } from '../../kernel/secret.js';
import type { Account } from '../account.entity.js';
import { AccountRepository } from '../account.repository.js';
import { authorOf, type Actor } from '../actor.js';
import { freshToken, hashToken } from '../tokens.js';

/** An operator makes an account for somebody, with a first token that is shown once. */
@Injectable()
export class CreateAccount {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    actor: Actor,
    input: { email: string; name: string | null },
  ): Promise<{ account: Account; text: Secret }> {
    const now = this.clock.now();
    const account: Account = {
      id: newId(),
      email: input.email,
      name: input.name,
      isOperator: false,
      createdAt: now,
      updatedAt: now,
    };
    const text = freshToken();
    await this.db.transaction('account.create', async (tx) => {
      await this.accounts.insert(tx, account);
      await this.accounts.insertToken(tx, {
        id: newId(),
        accountId: account.id,
        tokenHash: hashToken(text.reveal()),
        description: 'first token',
        scopes: ['global'],
        origin: 'request',
        expiresAt: null,
        revokedAt: null,
        createdAt: now,
      });
      await this.audit.add(tx, authorOf(actor), {
        action: 'account.created',
        subject: { kind: 'account', id: account.id },
        details: { email: account.email },
      });
    });
    return { account, text };
  }
}
