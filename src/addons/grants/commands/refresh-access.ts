import { Injectable } from '@nestjs/common';
import { hashToken } from '../../../accounts/tokens.js';
import { Clock } from '../../../kernel/clock.js';
import { Database } from '../../../kernel/db/database.js';
import { Secret } from '../../../kernel/secret.js';
import { AssertClient } from '../assert-client.js';
import { freshProviderToken, openAddonToken } from '../grant.js';
import { grantErrors } from '../grants.errors.js';
import { GrantRepository } from '../grant.repository.js';
import type { IssuedTokens } from './exchange-grant.js';

/** Gives a provider another access token. The refresh token stays: some providers ignore a new one, some store whatever comes. */
@Injectable()
export class RefreshAccess {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly grants: GrantRepository,
    private readonly client: AssertClient,
  ) {}

  async run(refreshToken: string, clientSecret: string): Promise<IssuedTokens> {
    return this.db.transaction('grant.refresh', async (tx) => {
      const tokenHash = hashToken(refreshToken);
      await this.grants.holdAddonOfRefreshToken(tx, tokenHash);
      const holder = await this.grants.findToken(tx, 'refresh', tokenHash);
      if (holder === null) throw grantErrors.invalid_grant();
      await this.client.run(tx, holder, clientSecret);
      if (holder.revokedAt !== null) throw grantErrors.invalid_grant();
      const access = freshProviderToken();
      await this.grants.insertToken(tx, openAddonToken('access', holder.addonId, access, this.clock.now()));
      return { access, refresh: new Secret(refreshToken), providerId: holder.providerId };
    });
  }
}
