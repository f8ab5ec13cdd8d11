import { Injectable } from '@nestjs/common';
import { hashToken } from '../../../accounts/tokens.js';
import { AuditTrail } from '../../../audit/audit-trail.js';
import { Clock } from '../../../kernel/clock.js';
import { Database } from '../../../kernel/db/database.js';
import type { ProviderId } from '../../../kernel/ids.js';
import type { Secret } from '../../../kernel/secret.js';
import { AssertClient } from '../assert-client.js';
import { freshProviderToken, openAddonToken } from '../grant.js';
import { grantErrors } from '../grants.errors.js';
import { GrantRepository } from '../grant.repository.js';

export interface IssuedTokens {
  access: Secret;
  refresh: Secret;
  providerId: ProviderId;
}

/**
 * Gives a provider tokens for a grant, which is used up by that. A second exchange is refused, but does not revoke what
 * the first one gave, as RFC 6749 would have it: honest providers do it by mistake.
 */
@Injectable()
export class ExchangeGrant {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly grants: GrantRepository,
    private readonly client: AssertClient,
    private readonly audit: AuditTrail,
  ) {}

  async run(code: string, clientSecret: string, requestId: string | null): Promise<IssuedTokens> {
    const codeHash = hashToken(code);
    // No lock is taken that the provision request, which may wait for this, holds meanwhile.
    return this.db.transaction('grant.exchange', async (tx) => {
      await this.grants.holdAddonOfGrant(tx, codeHash);
      const granted = await this.grants.findGranted(tx, codeHash);
      if (granted === null) throw grantErrors.invalid_grant();
      await this.client.run(tx, granted, clientSecret);
      const now = this.clock.now();
      if (!(await this.grants.useGrant(tx, codeHash, now))) throw grantErrors.invalid_grant();
      const { addonId, appId, providerId, slug } = granted;
      const access = freshProviderToken();
      const refresh = freshProviderToken();
      await this.grants.insertToken(tx, openAddonToken('access', addonId, access, now));
      await this.grants.insertToken(tx, openAddonToken('refresh', addonId, refresh, now));
      await this.audit.add(
        tx,
        { kind: 'provider', id: providerId, name: slug, requestId },
        { action: 'addon.access_granted', subject: { kind: 'addon', id: addonId }, appId },
      );
      return { access, refresh, providerId };
    });
  }
}
