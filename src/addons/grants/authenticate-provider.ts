import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import { accountErrors } from '../../accounts/accounts.errors.js';
import { hashToken } from '../../accounts/tokens.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { AddonId, ProviderId } from '../../kernel/ids.js';
import type { AddonTokenId } from './grant.entity.js';
import { GrantRepository } from './grant.repository.js';

/** A provider that acts for one of its add-ons. It sees that add-on and the apps that have it, and nothing else. */
export interface AddonCaller {
  addonId: AddonId;
  tokenId: AddonTokenId;
  providerId: ProviderId;
  /** Of the provider, and of its service. */
  slug: string;
  /** The add-on is gone, and with it the access: all that is left is to be told so. */
  isGone: boolean;
  author: Author;
}

/** Finds out which add-on a provider's access token is for. */
@Injectable()
export class AuthenticateProvider {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly grants: GrantRepository,
  ) {}

  /** Throws `unauthorized`, `token_expired` or `token_revoked`. A token of an add-on that is gone is still known. */
  async run(token: string | null, requestId: string | null): Promise<AddonCaller> {
    const holder =
      token === null ? null : await this.grants.findToken(this.db.manager, 'access', hashToken(token));
    if (holder === null)
      throw accountErrors.unauthorized({
        message: 'Send "Authorization: Bearer <token>" with an access token that you got for a grant.',
      });
    const isGone = holder.removedAt !== null;
    if (holder.revokedAt !== null && !isGone) throw accountErrors.token_revoked();
    if (holder.expiresAt !== null && holder.expiresAt <= this.clock.now())
      throw accountErrors.token_expired({
        message: 'This access token has expired; get another one with your refresh token.',
      });
    const { addonId, tokenId, providerId, slug } = holder;
    return {
      addonId,
      tokenId,
      providerId,
      slug,
      isGone,
      author: { kind: 'provider', id: providerId, name: slug, requestId },
    };
  }
}
