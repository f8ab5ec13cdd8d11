import { Module } from '@nestjs/common';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AddonReach } from './addon-reach.js';
import { Attach } from './attach.js';
import { AttachmentRepository } from './attachment.repository.js';
import { AttachAddon, AttachRepositories } from './commands/attach-addon.js';
import { DetachAddon } from './commands/detach-addon.js';
import { DetachAll } from './detach-all.js';
import { ReleaseAddonVars } from './release-addon-vars.js';
import { ReleaseEverywhere } from './release-everywhere.js';
import { Resolve } from './resolve.js';
import { SharedAddons } from './shared-addons.js';

const EXPORTED = [
  AttachmentRepository,
  AddonReach,
  Attach,
  AttachAddon,
  DetachAddon,
  DetachAll,
  ReleaseAddonVars,
  ReleaseEverywhere,
  Resolve,
  SharedAddons,
];

@Module({
  imports: [AuditModule, AppsModule, AddonsModule],
  providers: [...EXPORTED, AttachRepositories],
  exports: EXPORTED,
})
export class AttachmentsModule {}
