import { Injectable } from '@nestjs/common';
import { IsNull, Not } from 'typeorm';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import type { AccountId, TokenId } from '../kernel/ids.js';
import { AccessToken, Account, type TokenOrigin } from './account.entity.js';
import { accountErrors } from './accounts.errors.js';

/** A token with the account it belongs to, as one look-up by hash gives it. */
export interface TokenHolder {
  tokenId: TokenId;
  scopes: string[];
  origin: TokenOrigin;
  expiresAt: Date | null;
  revokedAt: Date | null;
  accountId: AccountId;
  email: string;
  isOperator: boolean;
}

const HOLDER_SQL = `
  SELECT t.id AS "tokenId", t.scopes, t.origin, t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt",
         a.id AS "accountId", a.email, a.is_operator AS "isOperator"
  FROM access_tokens t JOIN accounts a ON a.id = t.account_id WHERE t.token_hash = $1`;

@Injectable()
export class AccountRepository {
  async insert(tx: Tx, account: Account): Promise<void> {
    await tx.insert(Account, account).catch(onConstraint('accounts_email_key', accountErrors.email_taken));
  }

  async get(tx: Tx, id: AccountId): Promise<Account> {
    return tx.findOneByOrFail(Account, { id });
  }

  async find(tx: Tx, id: AccountId): Promise<Account | null> {
    return tx.findOneBy(Account, { id });
  }

  /** The e-mail addresses of these accounts. */
  async emailsOf(tx: Tx, ids: AccountId[]): Promise<Map<AccountId, string>> {
    const rows: { id: AccountId; email: string }[] = await tx.query(
      'SELECT id, email FROM accounts WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return new Map(rows.map(({ id, email }) => [id, email]));
  }

  /** The account, while this token of it works: neither revoked nor expired. */
  async findByLiveToken(tx: Tx, tokenId: TokenId, now: Date): Promise<Account | null> {
    return tx
      .createQueryBuilder(Account, 'account')
      .innerJoin(AccessToken, 'token', 'token.account_id = account.id')
      .where('token.id = :tokenId AND token.revoked_at IS NULL', { tokenId })
      .andWhere('(token.expires_at IS NULL OR token.expires_at > :now)', { now })
      .getOne();
  }

  async findByEmail(tx: Tx, email: string): Promise<Account | null> {
    return tx
      .createQueryBuilder(Account, 'account')
      .where('lower(account.email) = lower(:email)', { email })
      .getOne();
  }

  async makeOperator(tx: Tx, id: AccountId, at: Date): Promise<void> {
    await tx.update(Account, { id }, { isOperator: true, updatedAt: at });
  }

  async insertToken(tx: Tx, token: AccessToken): Promise<void> {
    await tx.insert(AccessToken, token);
  }

  async findTokenByHash(tx: Tx, hash: Buffer): Promise<TokenHolder | null> {
    const rows: TokenHolder[] = await tx.query(HOLDER_SQL, [hash]);
    return rows[0] ?? null;
  }

  /** An account's tokens that are not revoked, newest first, at most 1,000. */
  async listTokens(tx: Tx, accountId: AccountId): Promise<AccessToken[]> {
    return tx.find(AccessToken, {
      where: { accountId, revokedAt: IsNull() },
      order: { createdAt: 'DESC', id: 'ASC' },
      take: 1_000,
    });
  }

  /** The start-up's tokens of one kind that still work, other than one. There is seldom more than one. */
  async listStartUpTokensExcept(
    tx: Tx,
    origin: Exclude<TokenOrigin, 'request'>,
    keep: TokenId,
  ): Promise<AccessToken[]> {
    return tx.find(AccessToken, {
      where: { origin, id: Not(keep), revokedAt: IsNull() },
      order: { createdAt: 'ASC', id: 'ASC' },
      take: 1_000,
    });
  }

  /** Makes a token of the start-up this account's, and of this place. */
  async adoptToken(
    tx: Tx,
    id: TokenId,
    accountId: AccountId,
    origin: Exclude<TokenOrigin, 'request'>,
  ): Promise<void> {
    await tx.update(AccessToken, { id }, { accountId, origin });
  }

  /** Whether there was such a token to revoke. */
  async revokeToken(tx: Tx, accountId: AccountId, id: TokenId, at: Date): Promise<boolean> {
    const result = await tx.update(AccessToken, { id, accountId, revokedAt: IsNull() }, { revokedAt: at });
    return result.affected === 1;
  }
}
