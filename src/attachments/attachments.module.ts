import { Module } from '@nestjs/common';
import { AddonsModule } from '../addons/addons.module.js';
import { AppsModule } from '../apps/apps.module.js';
import { AddonReach } from './addon-reach.js';
import { Attach } from './attach.js';
import { AttachmentRepository } from './attachment.repository.js';
import { DetachAll } from './detach-all.js';
import { ReleaseAddonVars } from './release-addon-vars.js';
import { ReleaseEverywhere } from './release-everywhere.js';
import { Resolve } from './resolve.js';

const EXPORTED = [
  AttachmentRepository,
  AddonReach,
  Attach,
  DetachAll,
  ReleaseAddonVars,
  ReleaseEverywhere,
  Resolve,
];

@Module({ imports: [AppsModule, AddonsModule], providers: EXPORTED, exports: EXPORTED })
export class AttachmentsModule {}
