import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogRepository } from './catalog.repository.js';
import { ImportManifest } from './commands/import-manifest.js';

@Module({
  imports: [AuditModule],
  providers: [CatalogRepository, ImportManifest],
  exports: [CatalogRepository, ImportManifest],
})
export class CatalogModule {}
