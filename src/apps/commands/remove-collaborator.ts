import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AccountRepository } from '../../accounts/account.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { assertOwner } from '../app-access.js';
import type { App } from '../app.entity.js';
import { AppRepository } from '../app.repository.js';
import { appErrors } from '../apps.errors.js';
import type { Collaborator } from '../collaborator.entity.js';
import { CollaboratorRepository } from '../collaborator.repository.js';

/** Takes somebody's access to an app away, at once and everywhere. The owner may do so, and whoever leaves. */
@Injectable()
export class RemoveCollaborator {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly apps: AppRepository,
    private readonly collaborators: CollaboratorRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** `identity`: e-mail address, or id of the account or of the record. What was removed. */
  async run(
    actor: Actor,
    appIdentity: string,
    identity: string,
  ): Promise<{ collaborator: Collaborator; app: App }> {
    return this.db.transaction('collaborator.remove', async (tx) => {
      const app = await this.apps.lockForActor(tx, actor, appIdentity);
      await this.assertNotOwner(tx, app, identity);
      const collaborator = await this.collaborators.getOfApp(tx, app.id, identity);
      if (collaborator.accountId !== actor.accountId) assertOwner(app, actor);
      await this.collaborators.remove(tx, app.id, collaborator.accountId);
      await this.audit.add(tx, authorOf(actor), {
        action: 'collaborator.removed',
        subject: { kind: 'account', id: collaborator.accountId },
        appId: app.id,
        details: { email: collaborator.account.email, app: app.name },
      });
      return { collaborator, app };
    });
  }

  private async assertNotOwner(tx: Tx, app: App, identity: string): Promise<void> {
    const owner = await this.accounts.get(tx, app.ownerId);
    if (identity === owner.id || identity.toLowerCase() === owner.email.toLowerCase())
      throw appErrors.owner_not_removable({ app: { name: app.name } });
  }
}
