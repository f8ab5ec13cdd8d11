import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AttachmentsModule } from '../attachments/attachments.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { OpenAddon } from './commands/open-addon.js';
import { RedeemRepositories, RedeemTicket } from './commands/redeem-ticket.js';
import { SignSso } from './sign-sso.js';
import { SsoTicketRepository } from './sso-ticket.repository.js';
import { SsoTickets } from './sso-tickets.js';

const EXPORTED = [OpenAddon, RedeemTicket, SsoTickets];

@Module({
  imports: [AuditModule, AccountsModule, AppsModule, CatalogModule, AddonsModule, AttachmentsModule],
  providers: [...EXPORTED, RedeemRepositories, SignSso, SsoTicketRepository],
  exports: EXPORTED,
})
export class SsoModule {}
