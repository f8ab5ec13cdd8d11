import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogRepository } from './catalog.repository.js';
import { ImportManifest } from './commands/import-manifest.js';
import { InviteAccount } from './commands/invite-account.js';
import { MoveStage } from './commands/move-stage.js';
import { PushManifest, PushRepositories } from './commands/push-manifest.js';
import { SetClientSecret } from './commands/set-client-secret.js';
import { WithdrawInvitation } from './commands/withdraw-invitation.js';
import { ManifestRepository } from './manifest.repository.js';
import { ReadManifests } from './read-manifests.js';
import { ServiceAccessRepository } from './service-access.repository.js';
import { StoreManifest } from './store-manifest.js';
import { Storefront } from './storefront.js';

const EXPORTED = [
  CatalogRepository,
  Storefront,
  ImportManifest,
  PushManifest,
  ReadManifests,
  MoveStage,
  SetClientSecret,
  InviteAccount,
  WithdrawInvitation,
];

@Module({
  imports: [AuditModule],
  providers: [...EXPORTED, StoreManifest, PushRepositories, ManifestRepository, ServiceAccessRepository],
  exports: EXPORTED,
})
export class CatalogModule {}
