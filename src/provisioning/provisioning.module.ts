import { Module, type OnModuleInit } from '@nestjs/common';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AttachmentsModule } from '../attachments/attachments.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import type { OperationId, ProviderId } from '../kernel/ids.js';
import { JobRegistry } from '../kernel/jobs/job-registry.js';
import { ActionAccess } from './actions/action-access.js';
import { ActionRunRepository } from './actions/action-run.repository.js';
import { ReadActions } from './actions/read-actions.js';
import { RecordAction } from './actions/record-action.js';
import { RunAction } from './actions/run-action.js';
import { AddonNotices } from './addon-notices.js';
import { AddonLocks } from './addon-locks.js';
import { BeginOperation } from './begin-operation.js';
import { CallGate } from './call-gate.js';
import { CircuitRepository } from './circuit.repository.js';
import { PartnerV3Client } from './clients/partner-v3.client.js';
import { ProviderClient } from './clients/provider-client.js';
import { AbandonEffects, AbandonOperation } from './commands/abandon-operation.js';
import { CloseFinding } from './commands/close-finding.js';
import { ChangePlan, ChangePlanRepositories } from './commands/change-plan.js';
import { DestroyAddon, RequestDeprovision } from './commands/destroy-addon.js';
import { DestroyApp } from './commands/destroy-app.js';
import { PauseProvisioning } from './commands/pause.js';
import { ProvisionAddon, ProvisionRepositories } from './commands/provision-addon.js';
import { SetAddonConfig } from './commands/set-addon-config.js';
import { ReportRepositories, TakeReport } from './commands/take-report.js';
import { CompareInventory } from './inventory/compare-inventory.js';
import { InventoryRepository, type FindingId } from './inventory/inventory.repository.js';
import { ListResources } from './inventory/list-resources.js';
import { RemedyFinding } from './inventory/remedy-finding.js';
import { RemoveOrphan } from './inventory/remove-orphan.js';
import { SetOrphanRemoval } from './inventory/set-orphan-removal.js';
import { ResumeProvisioning } from './commands/resume.js';
import { RetryObstacles, RetryOperation } from './commands/retry-operation.js';
import { FindingRepository } from './finding.repository.js';
import { OperationListRepository } from './operation-list.repository.js';
import { OperationRepository } from './operation.repository.js';
import { OperationRunner } from './operation.runner.js';
import { PauseRepository } from './pause.repository.js';
import { ProviderListRepository } from './provider-list.repository.js';
import { PlanChoice } from './plan-choice.js';
import { ProviderCalls } from './provider-calls.js';
import { QuotePlanChange } from './quote-plan-change.js';
import { OutcomeEffects, RecordOutcome } from './record-outcome.js';
import { RecordPlanChange } from './record-plan-change.js';
import { ReadAddonConfig } from './read-addon-config.js';
import { RecordProvisioned } from './record-provisioned.js';
import { RecordRemoved } from './record-removed.js';
import { Inventories } from './reconcilers/inventories.js';
import { ReleaseNewConfig } from './release-new-config.js';
import { StuckOperations } from './reconcilers/stuck-operations.js';
import { SettleOperation } from './settle-operation.js';
import { StartDeprovision } from './start-deprovision.js';

const EXPORTED = [
  CircuitRepository,
  PauseRepository,
  OperationListRepository,
  FindingRepository,
  ProviderListRepository,
  AddonNotices,
  RetryOperation,
  AbandonOperation,
  CloseFinding,
  PauseProvisioning,
  ResumeProvisioning,
  OperationRepository,
  OperationRunner,
  ProvisionAddon,
  ChangePlan,
  RunAction,
  ReadActions,
  QuotePlanChange,
  DestroyAddon,
  DestroyApp,
  SettleOperation,
  ReadAddonConfig,
  SetAddonConfig,
  StuckOperations,
  Inventories,
  InventoryRepository,
  CompareInventory,
  RemedyFinding,
  SetOrphanRemoval,
  TakeReport,
];

@Module({
  imports: [AuditModule, AppsModule, CatalogModule, AddonsModule, AttachmentsModule],
  providers: [
    ...EXPORTED,
    { provide: ProviderClient, useClass: PartnerV3Client },
    BeginOperation,
    ListResources,
    RemoveOrphan,
    CallGate,
    AbandonEffects,
    RetryObstacles,
    ProvisionRepositories,
    ReportRepositories,
    RequestDeprovision,
    StartDeprovision,
    ProviderCalls,
    RecordOutcome,
    RecordProvisioned,
    RecordPlanChange,
    RecordAction,
    ActionAccess,
    ActionRunRepository,
    PlanChoice,
    ChangePlanRepositories,
    ReleaseNewConfig,
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
    private readonly compareInventory: CompareInventory,
    private readonly removeOrphan: RemoveOrphan,
  ) {}

  onModuleInit(): void {
    this.jobs.register('operation.advance', ({ operationId }) =>
      this.runner.advance(operationId as OperationId),
    );
    this.jobs.register('inventory.compare', ({ providerId }) =>
      this.compareInventory.run(providerId as ProviderId),
    );
    this.jobs.register('finding.remove_orphan', ({ findingId }) =>
      this.removeOrphan.run(findingId as FindingId),
    );
  }
}
