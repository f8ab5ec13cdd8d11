import { Module, type OnModuleInit } from '@nestjs/common';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AttachmentsModule } from '../attachments/attachments.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import type { OperationId } from '../kernel/ids.js';
import { JobRegistry } from '../kernel/jobs/job-registry.js';
import { AddonLocks } from './addon-locks.js';
import { BeginOperation } from './begin-operation.js';
import { PartnerV3Client } from './clients/partner-v3.client.js';
import { ProviderClient } from './clients/provider-client.js';
import { DestroyAddon, RequestDeprovision } from './commands/destroy-addon.js';
import { DestroyApp } from './commands/destroy-app.js';
import { ProvisionAddon, ProvisionRepositories } from './commands/provision-addon.js';
import { SetAddonConfig } from './commands/set-addon-config.js';
import { ReportRepositories, TakeReport } from './commands/take-report.js';
import { OperationRepository } from './operation.repository.js';
import { OperationRunner } from './operation.runner.js';
import { ProviderCalls } from './provider-calls.js';
import { OutcomeEffects, RecordOutcome } from './record-outcome.js';
import { ReadAddonConfig } from './read-addon-config.js';
import { RecordProvisioned } from './record-provisioned.js';
import { RecordRemoved } from './record-removed.js';
import { StuckOperations } from './reconcilers/stuck-operations.js';
import { SettleOperation } from './settle-operation.js';
import { StartDeprovision } from './start-deprovision.js';

const EXPORTED = [
  OperationRepository,
  OperationRunner,
  ProvisionAddon,
  DestroyAddon,
  DestroyApp,
  SettleOperation,
  ReadAddonConfig,
  SetAddonConfig,
  StuckOperations,
  TakeReport,
];

@Module({
  imports: [AuditModule, AppsModule, CatalogModule, AddonsModule, AttachmentsModule],
  providers: [
    ...EXPORTED,
    { provide: ProviderClient, useClass: PartnerV3Client },
    BeginOperation,
    ProvisionRepositories,
    ReportRepositories,
    RequestDeprovision,
    StartDeprovision,
    ProviderCalls,
    RecordOutcome,
    RecordProvisioned,
    RecordRemoved,
    OutcomeEffects,
    AddonLocks,
  ],
  exports: EXPORTED,
})
export class ProvisioningModule implements OnModuleInit {
  constructor(
    private readonly jobs: JobRegistry,
    private readonly runner: OperationRunner,
  ) {}

  onModuleInit(): void {
    this.jobs.register('operation.advance', ({ operationId }) =>
      this.runner.advance(operationId as OperationId),
    );
  }
}
