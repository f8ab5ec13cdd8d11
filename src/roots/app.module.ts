import { Module, type DynamicModule } from '@nestjs/common';
import { ApiModule } from '../api/api.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { KernelModule, type KernelParts } from '../kernel/kernel.module.js';
import { ProvisioningModule } from '../provisioning/provisioning.module.js';
import { ENTITIES } from './entities.js';
import { Rounds } from './rounds.js';

/** The whole broker in one process. Which parts of it work is decided by the role at start. */
@Module({})
export class AppModule {
  static with(parts: KernelParts): DynamicModule {
    return {
      module: AppModule,
      imports: [KernelModule.with(parts, ENTITIES), AuditModule, ProvisioningModule, ApiModule],
      providers: [Rounds],
    };
  }
}
