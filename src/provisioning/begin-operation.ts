import { Inject, Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../kernel/clock.js';
import { CONFIG, type Config } from '../kernel/config.js';
import type { Tx } from '../kernel/db/database.js';
import type { AddonId, OperationId } from '../kernel/ids.js';
import { Outbox } from '../kernel/outbox/outbox.js';
import { openOperation, type PlanTarget } from './operation.js';
import type { OperationType } from './operation.machine.js';
import { OperationRepository } from './operation.repository.js';

/** Writes an operation with its job and its audit event, in the caller's transaction. */
@Injectable()
export class BeginOperation {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly operations: OperationRepository,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    tx: Tx,
    type: OperationType,
    addonId: AddonId,
    author: Author,
    details: { app: string } & Record<string, unknown>,
    target: PlanTarget | null = null,
  ): Promise<OperationId> {
    const operation = openOperation(type, addonId, author, this.clock.now(), this.config.nudgeMs, target);
    await this.operations.insert(tx, operation);
    await this.outbox.add(tx, 'operation.advance', { operationId: operation.id });
    await this.audit.add(tx, author, {
      action: `addon.${type}_requested`,
      subject: { kind: 'addon', id: addonId },
      appId: details.app,
      details: { ...details, operation: operation.id },
    });
    return operation.id;
  }
}
