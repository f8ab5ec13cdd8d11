import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from './clock.js';
import { CONFIG, type Config } from './config.js';
import { CrashPoints } from './crash-points.js';
import { KeyRing } from './crypto/key-ring.js';
import { createDataSource, type EntityClass } from './db/data-source.js';
import { Database } from './db/database.js';
import { Notifications } from './db/notifications.js';
import { EgressGuard } from './egress-guard.js';
import { JobQueue } from './jobs/job-queue.js';
import { JobRegistry } from './jobs/job-registry.js';
import { LOGGER, type Logger } from './log.js';
import { Metrics } from './metrics.js';
import { Outbox } from './outbox/outbox.js';
import { Relay } from './outbox/relay.js';

/** What a root hands in: settled configuration, and what tests replace. */
export interface KernelParts {
  config: Config;
  log: Logger;
  clock?: Clock;
  crashPoints?: CrashPoints;
}

const SHARED = [Metrics, Database, Notifications, Outbox, JobRegistry, JobQueue, Relay, EgressGuard];

/** Knows no domain word. Global, so that features import each other only where they depend on one another. */
@Global()
@Module({})
export class KernelModule {
  static with(parts: KernelParts, entities: EntityClass[]): DynamicModule {
    return {
      module: KernelModule,
      providers: [
        { provide: CONFIG, useValue: parts.config },
        { provide: LOGGER, useValue: parts.log },
        { provide: Clock, useValue: parts.clock ?? new Clock() },
        { provide: CrashPoints, useValue: parts.crashPoints ?? new CrashPoints() },
        { provide: KeyRing, useValue: parts.config.keyRing },
        {
          provide: DataSource,
          useFactory: () => createDataSource(parts.config.databaseUrl.reveal(), entities).initialize(),
        },
        ...SHARED,
      ],
      exports: [CONFIG, LOGGER, Clock, CrashPoints, KeyRing, DataSource, ...SHARED],
    };
  }
}
