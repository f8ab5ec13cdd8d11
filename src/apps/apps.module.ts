import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AppRepository } from './app.repository.js';
import { AppendRelease } from './append-release.js';
import { CollaboratorRepository } from './collaborator.repository.js';
import { AddCollaborator } from './commands/add-collaborator.js';
import { CreateApp } from './commands/create-app.js';
import { RemoveCollaborator } from './commands/remove-collaborator.js';
import { SetConfigVars } from './commands/set-config-vars.js';
import { UpdateApp } from './commands/update-app.js';
import { ReadConfig } from './read-config.js';
import { ReleaseRepository } from './release.repository.js';

const EXPORTED = [
  AppRepository,
  CollaboratorRepository,
  ReleaseRepository,
  AppendRelease,
  CreateApp,
  UpdateApp,
  SetConfigVars,
  AddCollaborator,
  RemoveCollaborator,
  ReadConfig,
];

@Module({ imports: [AuditModule, AccountsModule], providers: EXPORTED, exports: EXPORTED })
export class AppsModule {}
