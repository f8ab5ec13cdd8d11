import { AccessToken, Account } from '../accounts/account.entity.js';
import { Addon, AddonNotice } from '../addons/addon.entity.js';
import { AddonGrant, AddonToken } from '../addons/grants/grant.entity.js';
import { App, Release, ReleaseEnvironment, ReservedConfigVar } from '../apps/app.entity.js';
import { Collaborator } from '../apps/collaborator.entity.js';
import { Attachment } from '../attachments/attachment.entity.js';
import { AddonService, Plan, Provider } from '../catalog/catalog.entity.js';
import { ManifestRevision, ServiceInvitation, ServiceMaker } from '../catalog/manifest.entity.js';
import type { EntityClass } from '../kernel/db/data-source.js';
import { ActionRun } from '../provisioning/actions/action-run.entity.js';
import { Inventory } from '../provisioning/inventory/inventory.entity.js';
import { Pause, ProviderCircuit } from '../provisioning/gate.entity.js';
import { Finding, Operation, OperationAttempt } from '../provisioning/operation.entity.js';
import { SsoTicketUse } from '../sso/sso-ticket-use.entity.js';

/** Every entity of the broker; a test compares them with the migrated tables. */
export const ENTITIES: EntityClass[] = [
  Account,
  AccessToken,
  App,
  Release,
  ReleaseEnvironment,
  ReservedConfigVar,
  Collaborator,
  Provider,
  AddonService,
  Plan,
  ManifestRevision,
  ServiceMaker,
  ServiceInvitation,
  Addon,
  AddonNotice,
  AddonGrant,
  AddonToken,
  Attachment,
  SsoTicketUse,
  Operation,
  OperationAttempt,
  ActionRun,
  Finding,
  Inventory,
  ProviderCircuit,
  Pause,
];
