import { Injectable } from '@nestjs/common';
import { AccountRepository } from '../../accounts/account.repository.js';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { isId, newId, type AccountId } from '../../kernel/ids.js';
import { assertOwner } from '../app-access.js';
import type { App } from '../app.entity.js';
import { AppRepository } from '../app.repository.js';
import { appErrors } from '../apps.errors.js';
import type { Collaborator } from '../collaborator.entity.js';
import { CollaboratorRepository } from '../collaborator.repository.js';

/** The owner lets somebody else use the app. */
@Injectable()
export class AddCollaborator {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly apps: AppRepository,
    private readonly collaborators: CollaboratorRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** `user`: e-mail address or id of an account. */
  async run(
    actor: Actor,
    appIdentity: string,
    user: string,
  ): Promise<{ collaborator: Collaborator; app: App }> {
    return this.db.transaction('collaborator.add', async (tx) => {
      const app = await this.apps.lockForActor(tx, actor, appIdentity);
      assertOwner(app, actor);
      const account = isId(user)
        ? await this.accounts.find(tx, user as AccountId)
        : await this.accounts.findByEmail(tx, user);
      if (account === null) throw appErrors.collaborator_unknown();
      if (account.id === app.ownerId) throw appErrors.collaborator_exists({ app: { name: app.name } });
      const now = this.clock.now();
      const collaborator: Collaborator = {
        id: newId(),
        appId: app.id,
        accountId: account.id,
        account,
        createdAt: now,
        updatedAt: now,
      };
      const { account: _account, ...row } = collaborator;
      await this.collaborators.insert(tx, row);
      await this.audit.add(tx, authorOf(actor), {
        action: 'collaborator.added',
        subject: { kind: 'account', id: account.id },
        appId: app.id,
        details: { email: account.email, app: app.name },
      });
      return { collaborator, app };
    });
  }
}
