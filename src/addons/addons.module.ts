import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AddonHistory } from './addon-history.js';
import { AddonRepository } from './addon.repository.js';
import { PostNotice } from './commands/post-notice.js';
import { NoticeRepository } from './notice.repository.js';

const EXPORTED = [AddonRepository, AddonHistory, NoticeRepository, PostNotice];

@Module({ imports: [AuditModule], providers: EXPORTED, exports: EXPORTED })
export class AddonsModule {}
