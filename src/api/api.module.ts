import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AttachmentsModule } from '../attachments/attachments.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { EncryptionModule } from '../encryption/encryption.module.js';
import { ProvisioningModule } from '../provisioning/provisioning.module.js';
import { AdminInventoriesController } from './admin/inventories.controller.js';
import { SsoModule } from '../sso/sso.module.js';
import { AdminController } from './admin/admin.controller.js';
import { AdminServicesController } from './admin/services.controller.js';
import { AdminFindingsController } from './admin/findings.controller.js';
import { AdminOperationsController } from './admin/operations.controller.js';
import { AdminProvidersController } from './admin/providers.controller.js';
import { Gauges } from './ops/gauges.js';
import { OpsController } from './ops/ops.controller.js';
import { Readiness } from './ops/readiness.js';
import { PartnerAddonController } from './partner/addon.controller.js';
import { PartnerAddonViews } from './partner/addon-views.js';
import { PartnerAddonWorkController } from './partner/addon-work.controller.js';
import { PartnerAppsController } from './partner/apps.controller.js';
import { PartnerManifestsController } from './partner/manifests.controller.js';
import { PartnerNoticesController } from './partner/notices.controller.js';
import { PartnerOAuthController } from './partner/oauth.controller.js';
import { PortalErrorFilter } from './partner/portal-error.filter.js';
import { PlatformActionsController } from './platform/actions.controller.js';
import { PlatformAccountsController } from './platform/accounts.controller.js';
import { AddonViews } from './platform/addon-views.js';
import { PlatformAddonsController } from './platform/addons.controller.js';
import { PlatformAppsController } from './platform/apps.controller.js';
import { PlatformAttachmentsController } from './platform/attachments.controller.js';
import { PlatformCatalogController } from './platform/catalog.controller.js';
import { PlatformCollaboratorsController } from './platform/collaborators.controller.js';
import { PlatformConfigController } from './platform/config.controller.js';
import { PlatformPlanChangeController } from './platform/plan-change.controller.js';
import { PlatformSharingController } from './platform/sharing.controller.js';
import { PlatformSsoController } from './platform/sso.controller.js';
import { AccessGuard } from './shared/access.guard.js';
import { ErrorFilter } from './shared/error.filter.js';
import { RouteInventory } from './shared/route-inventory.js';
import { Strategies } from './shared/strategies.js';
import { SsoPageController } from './sso/sso-page.controller.js';

/** All HTTP surfaces, on one port. */
@Module({
  imports: [
    DiscoveryModule,
    AuditModule,
    AccountsModule,
    AppsModule,
    CatalogModule,
    AddonsModule,
    AttachmentsModule,
    SsoModule,
    ProvisioningModule,
    EncryptionModule,
  ],
  controllers: [
    PlatformAccountsController,
    PlatformAppsController,
    PlatformConfigController,
    PlatformCatalogController,
    PlatformAddonsController,
    PlatformPlanChangeController,
    PlatformActionsController,
    PlatformAttachmentsController,
    PlatformCollaboratorsController,
    PlatformSharingController,
    PlatformSsoController,
    SsoPageController,
    PartnerNoticesController,
    PartnerManifestsController,
    PartnerOAuthController,
    PartnerAddonController,
    PartnerAddonWorkController,
    PartnerAppsController,
    AdminController,
    AdminInventoriesController,
    AdminServicesController,
    AdminOperationsController,
    AdminFindingsController,
    AdminProvidersController,
    OpsController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    Strategies,
    ErrorFilter,
    PortalErrorFilter,
    RouteInventory,
    AddonViews,
    PartnerAddonViews,
    Readiness,
    Gauges,
  ],
  exports: [RouteInventory, Readiness],
})
export class ApiModule implements OnModuleInit {
  constructor(private readonly routes: RouteInventory) {}

  onModuleInit(): void {
    this.routes.assertComplete();
  }
}
