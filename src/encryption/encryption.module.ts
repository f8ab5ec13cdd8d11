import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { Reencrypt } from './reencrypt.js';
import { RotateKeys } from './rotate-keys.js';

@Module({ imports: [AuditModule], providers: [Reencrypt, RotateKeys], exports: [RotateKeys] })
export class EncryptionModule {}
