import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { AddonHistory } from './addon-history.js';
import { AddonRepository } from './addon.repository.js';
import { PostNotice } from './commands/post-notice.js';
import { AssertClient } from './grants/assert-client.js';
import { AuthenticateProvider } from './grants/authenticate-provider.js';
import { ExchangeGrant } from './grants/commands/exchange-grant.js';
import { IssueGrant } from './grants/commands/issue-grant.js';
import { RefreshAccess } from './grants/commands/refresh-access.js';
import { GrantRepository } from './grants/grant.repository.js';
import { RevokeAccess } from './grants/revoke-access.js';
import { NoticeRepository } from './notice.repository.js';

const EXPORTED = [
  AddonRepository,
  AddonHistory,
  NoticeRepository,
  PostNotice,
  IssueGrant,
  ExchangeGrant,
  RefreshAccess,
  AuthenticateProvider,
  RevokeAccess,
];

@Module({
  imports: [AuditModule, CatalogModule],
  providers: [...EXPORTED, GrantRepository, AssertClient],
  exports: EXPORTED,
})
export class AddonsModule {}
