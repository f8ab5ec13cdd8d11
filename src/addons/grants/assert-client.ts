import { Injectable } from '@nestjs/common';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import type { Tx } from '../../kernel/db/database.js';
import { grantErrors } from './grants.errors.js';
import type { GrantedAddon } from './grant.repository.js';

/** There is no client_id: the code or the refresh token names the provider, and the secret must be that provider's. */
@Injectable()
export class AssertClient {
  constructor(private readonly catalog: CatalogRepository) {}

  /** Throws `invalid_client`. Of an add-on that is gone nothing can be had: `invalid_grant`. */
  async run(tx: Tx, granted: GrantedAddon, clientSecret: string): Promise<void> {
    const secret = await this.catalog.findClientSecret(tx, granted.providerId);
    if (secret?.equals(clientSecret) !== true)
      throw grantErrors.invalid_client({
        ...(secret === null ? { internal: `the provider ${granted.slug} has no client secret` } : {}),
      });
    if (granted.removedAt !== null) throw grantErrors.invalid_grant();
  }
}
