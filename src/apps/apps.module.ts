import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AppRepository } from './app.repository.js';
import { AppendRelease } from './append-release.js';
import { CreateApp } from './commands/create-app.js';
import { SetConfigVars } from './commands/set-config-vars.js';
import { UpdateApp } from './commands/update-app.js';
import { ReadConfig } from './read-config.js';
import { ReleaseRepository } from './release.repository.js';

const EXPORTED = [
  AppRepository,
  ReleaseRepository,
  AppendRelease,
  CreateApp,
  UpdateApp,
  SetConfigVars,
  ReadConfig,
];

@Module({ imports: [AuditModule], providers: EXPORTED, exports: EXPORTED })
export class AppsModule {}
