import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Database } from '../kernel/db/database.js';
import { AccountRepository } from './account.repository.js';
import { accountErrors } from './accounts.errors.js';
import { SCOPES, type Actor, type Scope } from './actor.js';
import { TokenCache } from './token-cache.js';
import { hashToken } from './tokens.js';

/** Finds out whose token it is. */
@Injectable()
export class Authenticate {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly cache: TokenCache,
  ) {}

  /** The actor behind a token; throws `unauthorized`, `token_expired` or `token_revoked`. */
  async run(token: string | null, requestId: string | null): Promise<Actor> {
    if (token === null) throw accountErrors.unauthorized();
    const holder = await this.cache.find(hashToken(token), (hash) =>
      this.accounts.findTokenByHash(this.db.manager, hash),
    );
    if (holder === null) throw accountErrors.unauthorized();
    if (holder.revokedAt !== null) throw accountErrors.token_revoked();
    if (holder.expiresAt !== null && holder.expiresAt <= this.clock.now())
      throw accountErrors.token_expired();
    return {
      accountId: holder.accountId,
      email: holder.email,
      tokenId: holder.tokenId,
      scopes: new Set(
        holder.scopes.filter((scope): scope is Scope => SCOPES.some((known) => known === scope)),
      ),
      isOperator: holder.isOperator,
      expiresAt: holder.expiresAt,
      requestId,
    };
  }
}
