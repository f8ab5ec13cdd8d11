import { AccessToken, Account } from '../accounts/account.entity.js';
import { Addon, AddonNotice } from '../addons/addon.entity.js';
import { AddonGrant, AddonToken } from '../addons/grants/grant.entity.js';
import { App, Release, ReleaseEnvironment, ReservedConfigVar } from '../apps/app.entity.js';
import { Attachment } from '../attachments/attachment.entity.js';
import { AddonService, Plan, Provider } from '../catalog/catalog.entity.js';
import type { EntityClass } from '../kernel/db/data-source.js';
import { Finding, Operation, OperationAttempt } from '../provisioning/operation.entity.js';

/** Every entity of the broker; a test compares them with the migrated tables. */
export const ENTITIES: EntityClass[] = [
  Account,
  AccessToken,
  App,
  Release,
  ReleaseEnvironment,
  ReservedConfigVar,
  Provider,
  AddonService,
  Plan,
  Addon,
  AddonNotice,
  AddonGrant,
  AddonToken,
  Attachment,
  Operation,
  OperationAttempt,
  Finding,
];
