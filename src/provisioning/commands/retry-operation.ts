import { Inject, Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { CircuitRepository } from '../circuit.repository.js';
import type { Operation } from '../operation.entity.js';
import { isFinal, isReported, next } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import { PauseRepository, sentence } from '../pause.repository.js';
import { provisioningErrors } from '../provisioning.errors.js';

/** What may keep an operation from being retried. */
@Injectable()
export class RetryObstacles {
  constructor(
    private readonly circuits: CircuitRepository,
    private readonly pauses: PauseRepository,
  ) {}

  /** A pause is ended, not gone round. */
  async assertNotPaused(tx: Tx, operation: Operation): Promise<void> {
    const pause = await this.pauses.findHolding(tx, operation.addonId);
    if (pause !== null)
      throw provisioningErrors.service_paused({
        message: `${pause.targetName} is paused: ${sentence(pause.reason)} Resume it first.`,
      });
  }

  /** An open circuit lets the next call through, to see. */
  async tryCircuit(tx: Tx, operation: Operation, now: Date): Promise<void> {
    await this.circuits.probeNow(tx, await this.circuits.providerOf(tx, operation.addonId), now);
  }
}

/**
 * An operator has the next call made now. Where a worker is at it, or it is due already, nothing changes. A delete that
 * waits for its provider's report is asked again.
 */
@Injectable()
export class RetryOperation {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly operations: OperationRepository,
    private readonly obstacles: RetryObstacles,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, id: Operation['id'], reason: string): Promise<void> {
    await this.db.transaction('operation.retry', async (tx) => {
      const operation = await this.operations.lock(tx, id);
      if (operation === null) throw provisioningErrors.operation_not_found();
      if (isFinal(operation.state)) throw provisioningErrors.operation_finished();
      const now = this.clock.now();
      if (operation.leaseUntil !== null && operation.leaseUntil > now) return;
      if (operation.nextAttemptAt <= now && operation.state !== 'waiting') return;
      await this.obstacles.assertNotPaused(tx, operation);
      await this.operations.apply(tx, id, operation.attempt, {
        state: stateToRetry(operation),
        nextAttemptAt: now,
        nudgedUntil: plusMs(now, this.config.nudgeMs),
        heldBy: null,
        updatedAt: now,
      });
      await this.obstacles.tryCircuit(tx, operation, now);
      await this.outbox.add(tx, 'operation.advance', { operationId: id });
      await this.audit.add(tx, authorOf(actor), {
        action: 'operation.retried',
        subject: { kind: 'operation', id },
        details: { type: operation.type, state: operation.state, addon: operation.addonId, reason },
      });
    });
  }
}

/** A creation that the provider has accepted is not asked for twice: expired, it would be given up. */
function stateToRetry({ type, state }: Operation): Operation['state'] {
  if (state !== 'waiting' || !isReported(type, state)) return state;
  const again = next(type, state, 'expired');
  if (again !== 'unsure') throw provisioningErrors.operation_waiting();
  return again;
}
