import { Injectable } from '@nestjs/common';
import { AccountRepository } from '../../accounts/account.repository.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import type { Viewer } from '../../apps/app-access.js';
import type { App } from '../../apps/app.entity.js';
import { AppRepository } from '../../apps/app.repository.js';
import { AttachmentRepository } from '../../attachments/attachment.repository.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import type { AppId } from '../../kernel/ids.js';
import { SignSso } from '../sign-sso.js';
import type { SsoForm } from '../sso.js';
import { ssoErrors } from '../sso.errors.js';
import { SsoTicketRepository } from '../sso-ticket.repository.js';
import { SsoTickets, type SsoTarget } from '../sso-tickets.js';

/** Longer than any clock is set back: a use that is forgotten could be repeated before the ticket's end. */
const USES_KEPT_MS = 24 * 3_600_000;

/** The tables that a ticket is compared with. */
@Injectable()
export class RedeemRepositories {
  constructor(
    readonly accounts: AccountRepository,
    readonly apps: AppRepository,
    readonly addons: AddonRepository,
    readonly attachments: AttachmentRepository,
    readonly uses: SsoTicketRepository,
  ) {}
}

/** Turns a ticket into the form that signs its holder on, once. What the account may no longer see is not found. */
@Injectable()
export class RedeemTicket {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly tickets: SsoTickets,
    private readonly repositories: RedeemRepositories,
    private readonly sign: SignSso,
    private readonly audit: AuditTrail,
  ) {}

  async run(resourceId: string, text: string, requestId: string | null): Promise<SsoForm> {
    const ticket = this.tickets.read(resourceId, text);
    return this.db.transaction('sso.redeem', async (tx) => {
      const now = this.clock.now();
      const { accounts, uses } = this.repositories;
      const account = await accounts.findByLiveToken(tx, ticket.tokenId, now);
      if (account === null || account.id !== ticket.accountId) throw ssoErrors.sso_ticket_invalid();
      const { addon, app } = await this.find(tx, { accountId: account.id }, ticket.target, now);
      const form = await this.sign.run(tx, account, addon, app);
      await uses.use(tx, {
        ticketHash: ticket.hash,
        addonId: addon.id,
        accountId: account.id,
        usedAt: now,
        expiresAt: ticket.expiresAt,
      });
      await uses.forget(tx, plusMs(now, -USES_KEPT_MS));
      const author = { kind: 'account' as const, id: account.id, name: account.email, requestId };
      await this.audit.add(tx, author, {
        action: 'addon.opened',
        subject: { kind: 'addon', id: addon.id },
        appId: app.id,
        details: { name: addon.name, app: app.name },
      });
      return form;
    });
  }

  /** The add-on, and the app that the user comes from: that of the attachment where it is the user's, else its owner. */
  private async find(
    tx: Tx,
    viewer: Viewer,
    { addonId, attachmentId }: SsoTarget,
    now: Date,
  ): Promise<{ addon: Addon; app: App }> {
    const { apps, addons, attachments } = this.repositories;
    const addon = await addons.getForActor(tx, viewer, addonId, now);
    const appIds =
      attachmentId === null
        ? [addon.appId, ...(await attachments.listOfAddonForActor(tx, viewer, addonId)).map(appIdOf)]
        : [appIdOf(await attachments.getForActor(tx, viewer, attachmentId)), addon.appId];
    for (const appId of appIds) {
      const app = await apps.findForActor(tx, viewer, appId);
      if (app !== null) return { addon, app };
    }
    throw ssoErrors.sso_ticket_invalid();
  }
}

function appIdOf({ appId }: { appId: AppId }): AppId {
  return appId;
}
