import { Module } from '@nestjs/common';
import { AuditChain } from './audit-chain.js';
import { AuditTrail } from './audit-trail.js';

@Module({ providers: [AuditTrail, AuditChain], exports: [AuditTrail, AuditChain] })
export class AuditModule {}
