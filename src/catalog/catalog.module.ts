import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogRepository } from './catalog.repository.js';
import { ImportManifest } from './commands/import-manifest.js';
import { SetClientSecret } from './commands/set-client-secret.js';

@Module({
  imports: [AuditModule],
  providers: [CatalogRepository, ImportManifest, SetClientSecret],
  exports: [CatalogRepository, ImportManifest, SetClientSecret],
})
export class CatalogModule {}
