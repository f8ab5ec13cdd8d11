import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { newId, type TokenId } from '../../kernel/ids.js';
import { LOGGER, type Logger } from '../../kernel/log.js';
import type { Secret } from '../../kernel/secret.js';
import type { AccessToken, Account } from '../account.entity.js';
import { AccountRepository, type TokenHolder } from '../account.repository.js';
import { SYSTEM } from '../actor.js';
import { hashToken } from '../tokens.js';

export interface OperatorAtStart {
  email: string;
  token: Secret;
  /** Where both stand: SOUK_ADMIN_EMAIL and SOUK_ADMIN_TOKEN, or the server's folder. */
  from: 'settings' | 'folder';
}

/**
 * Makes what the start-up says of the operator true: the account is there and an operator's, the token is that
 * account's, and the token that stood in the same place before no longer works. Changes nothing where that is so.
 */
@Injectable()
export class EnsureOperator {
  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(operator: OperatorAtStart): Promise<Account> {
    return this.db.transaction('operator.ensure', async (tx) => {
      // Several processes may start at once with the same settings.
      await tx.query("SELECT pg_advisory_xact_lock(hashtext('souk.operator'))");
      const account = await this.ensureAccount(tx, operator.email);
      const hash = hashToken(operator.token.reveal());
      const known = await this.accounts.findTokenByHash(tx, hash);
      const current =
        known === null
          ? await this.makeToken(tx, account, hash, operator.from)
          : await this.adopt(tx, account, known, operator.from);
      if (current !== null) await this.replaceOthers(tx, current, operator.from);
      return account;
    });
  }

  private async ensureAccount(tx: Tx, email: string): Promise<Account> {
    const now = this.clock.now();
    const known = await this.accounts.findByEmail(tx, email);
    if (known?.isOperator === true) return known;
    const account = known ?? {
      id: newId(),
      email,
      name: null,
      isOperator: true,
      createdAt: now,
      updatedAt: now,
    };
    if (known === null) await this.accounts.insert(tx, account);
    else await this.accounts.makeOperator(tx, account.id, now);
    await this.audit.add(tx, SYSTEM, {
      action: known === null ? 'account.created' : 'account.made_operator',
      subject: { kind: 'account', id: account.id },
      details: { email, operator: true },
    });
    return account;
  }

  private async makeToken(
    tx: Tx,
    account: Account,
    hash: Buffer,
    from: OperatorAtStart['from'],
  ): Promise<TokenId> {
    const made: AccessToken = {
      id: newId(),
      accountId: account.id,
      tokenHash: hash,
      description: `operator, from the server's ${from}`,
      scopes: ['global', 'admin'],
      origin: from,
      expiresAt: null,
      revokedAt: null,
      createdAt: this.clock.now(),
    };
    await this.accounts.insertToken(tx, made);
    await this.audit.add(tx, SYSTEM, {
      action: 'token.created',
      subject: { kind: 'token', id: made.id },
      details: { description: made.description, scopes: made.scopes },
    });
    return made.id;
  }

  /** Takes a token that exists already as this operator's; null where it cannot be, and then it is left as it is. */
  private async adopt(
    tx: Tx,
    account: Account,
    token: TokenHolder,
    from: OperatorAtStart['from'],
  ): Promise<TokenId | null> {
    // Somebody revoked it on purpose, or it was replaced: a start with old settings must not bring it back.
    if (token.revokedAt !== null) {
      this.log.warn(
        { token: token.tokenId },
        "the operator's token was revoked; set another SOUK_ADMIN_TOKEN",
      );
      return null;
    }
    // Whoever made this token for himself would become an operator by it; and an operator's own may expire, or may less.
    if (token.origin === 'request') {
      this.log.warn(
        { token: token.tokenId },
        "the operator's token is one that an account made for itself; set another SOUK_ADMIN_TOKEN",
      );
      return null;
    }
    if (token.accountId === account.id && token.origin === from) return token.tokenId;
    await this.accounts.adoptToken(tx, token.tokenId, account.id, from);
    if (token.accountId === account.id) return token.tokenId;
    await this.audit.add(tx, SYSTEM, {
      action: 'token.moved',
      subject: { kind: 'token', id: token.tokenId },
      details: { from: token.email, to: account.email },
    });
    return token.tokenId;
  }

  private async replaceOthers(tx: Tx, current: TokenId, from: OperatorAtStart['from']): Promise<void> {
    for (const old of await this.accounts.listStartUpTokensExcept(tx, from, current)) {
      await this.accounts.revokeToken(tx, old.accountId, old.id, this.clock.now());
      await this.audit.add(tx, SYSTEM, {
        action: 'token.revoked',
        subject: { kind: 'token', id: old.id },
        details: { replaced_by: current },
      });
    }
  }
}
