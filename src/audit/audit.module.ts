import { Module } from '@nestjs/common';
import { AuditChain } from './audit-chain.js';
import { AuditTrail } from './audit-trail.js';
import { ReadTrail } from './read-trail.js';

@Module({ providers: [AuditTrail, ReadTrail, AuditChain], exports: [AuditTrail, ReadTrail, AuditChain] })
export class AuditModule {}
