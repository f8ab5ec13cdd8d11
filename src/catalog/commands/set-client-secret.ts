import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Database } from '../../kernel/db/database.js';
import type { Secret } from '../../kernel/secret.js';
import { CatalogRepository } from '../catalog.repository.js';
import { catalogErrors } from '../catalog.errors.js';

/** Sets what a provider proves itself with when it exchanges a grant. The same secret again changes nothing. */
@Injectable()
export class SetClientSecret {
  constructor(
    private readonly db: Database,
    private readonly catalog: CatalogRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(author: Author, slug: string, secret: Secret): Promise<void> {
    await this.db.transaction('manifest.client_secret', async (tx) => {
      const provider = await this.catalog.findAccessBySlug(tx, slug);
      if (provider === null) throw catalogErrors.service_not_found();
      const known = await this.catalog.findClientSecret(tx, provider.id);
      if (known?.equals(secret.reveal()) === true) return;
      await this.catalog.setClientSecret(tx, provider.id, secret);
      await this.audit.add(tx, author, {
        action: 'provider.client_secret_set',
        subject: { kind: 'provider', id: provider.id },
        details: { provider: slug },
      });
    });
  }
}
