import { Injectable } from '@nestjs/common';
import { hashToken } from '../../../accounts/tokens.js';
import { Clock, plusMs } from '../../../kernel/clock.js';
import { Database } from '../../../kernel/db/database.js';
import type { AddonId } from '../../../kernel/ids.js';
import type { Secret } from '../../../kernel/secret.js';
import { freshProviderToken, GRANT_MS } from '../grant.js';
import { GrantRepository } from '../grant.repository.js';

/** A grant as it is sent: its code is in no table. */
export interface IssuedGrant {
  code: Secret;
  expiresAt: Date;
}

/** Makes a grant for one provision request. It is committed when this resolves: providers exchange it before they answer. */
@Injectable()
export class IssueGrant {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly grants: GrantRepository,
  ) {}

  async run(addonId: AddonId): Promise<IssuedGrant> {
    const code = freshProviderToken();
    const createdAt = this.clock.now();
    const expiresAt = plusMs(createdAt, GRANT_MS);
    await this.db.transaction('provision.grant', (tx) =>
      this.grants.insertGrant(tx, {
        codeHash: hashToken(code.reveal()),
        addonId,
        createdAt,
        expiresAt,
        usedAt: null,
      }),
    );
    return { code, expiresAt };
  }
}
