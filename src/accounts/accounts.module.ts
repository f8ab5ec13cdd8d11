import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AccountRepository } from './account.repository.js';
import { Authenticate } from './authenticate.js';
import { CreateAccount } from './commands/create-account.js';
import { CreateToken } from './commands/create-token.js';
import { EnsureOperator } from './commands/ensure-operator.js';
import { RevokeToken } from './commands/revoke-token.js';
import { TokenCache } from './token-cache.js';

const EXPORTED = [AccountRepository, Authenticate, CreateAccount, CreateToken, EnsureOperator, RevokeToken];

@Module({ imports: [AuditModule], providers: [...EXPORTED, TokenCache], exports: EXPORTED })
export class AccountsModule {}
