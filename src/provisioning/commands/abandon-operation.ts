import { Injectable } from '@nestjs/common';
import { authorOf, type Actor, type Author } from '../../accounts/actor.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { AddonLocks } from '../addon-locks.js';
import type { Operation } from '../operation.entity.js';
import { DELETE_DEADLINE_MS } from '../operation.js';
import { isFinal, next, type OperationState } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import { sentence } from '../pause.repository.js';
import { provisioningErrors } from '../provisioning.errors.js';
import { RecordRemoved } from '../record-removed.js';

const CUSTOMER_MESSAGE = 'The operator ended the creation. Nothing was charged; try again later.';

/** What an abandoned operation leaves behind. */
@Injectable()
export class AbandonEffects {
  constructor(
    private readonly operations: OperationRepository,
    private readonly removed: RecordRemoved,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
  ) {}

  /** The customer's side ends now. The provider is asked to delete until it confirms. */
  async creation(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    author: Author,
    now: Date,
  ): Promise<void> {
    const ended = isFinal(state) ? { finishedAt: now } : { deadlineAt: plusMs(now, DELETE_DEADLINE_MS) };
    // A call that is under way keeps its claim, since its answer may name the id to clean up.
    const claim =
      state === 'calling'
        ? {}
        : { ...ended, attempt: operation.attempt + 1, leaseUntil: null, nextAttemptAt: now };
    await this.operations.apply(tx, operation.id, operation.attempt, {
      ...claim,
      state,
      abandonedAt: now,
      heldBy: null,
      nudgedUntil: null,
      customerMessage: CUSTOMER_MESSAGE,
      updatedAt: now,
    });
    await this.removed.creationFailed(tx, addon, author, now, CUSTOMER_MESSAGE);
    if (state === 'cleaning') await this.outbox.add(tx, 'operation.advance', { operationId: operation.id });
  }

  /** The delete ends without the provider's word: a worker that is at it loses its claim, and a finding stays. */
  async deletion(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    author: Author,
    reason: string,
    now: Date,
  ): Promise<void> {
    await this.operations.apply(tx, operation.id, operation.attempt, {
      state,
      attempt: operation.attempt + 1,
      leaseUntil: null,
      abandonedAt: now,
      heldBy: null,
      updatedAt: now,
      finishedAt: now,
    });
    if (operation.type === 'deprovision') await this.removed.deprovisioned(tx, addon, author, now);
    await this.operations.resolveFinding(tx, addon.id, 'delete_unconfirmed', now);
    const detail = `An operator ended the delete before the provider confirmed it: ${sentence(reason)} The provider may still hold ${addon.providerId ?? addon.id}.`;
    await this.operations.openFinding(tx, addon.id, 'delete_abandoned', detail, now);
  }

  async note(tx: Tx, author: Author, operation: Operation, addon: Addon, reason: string): Promise<void> {
    await this.audit.add(tx, author, {
      action: 'operation.abandoned',
      subject: { kind: 'operation', id: operation.id },
      appId: addon.appId,
      details: { type: operation.type, state: operation.state, addon: addon.id, reason },
    });
  }
}

/**
 * An operator gives an operation up. A creation is cleaned up at the provider until that is confirmed; a delete, or such
 * a clean-up, ends only where `withoutConfirmation` says that this is meant. Doing it twice changes nothing more.
 */
@Injectable()
export class AbandonOperation {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly locks: AddonLocks,
    private readonly operations: OperationRepository,
    private readonly effects: AbandonEffects,
  ) {}

  async run(actor: Actor, id: Operation['id'], reason: string, withoutConfirmation: boolean): Promise<void> {
    const known = await this.operations.find(this.db.manager, id);
    if (known === null) throw provisioningErrors.operation_not_found();
    const author = authorOf(actor);
    await this.db.transaction('operation.abandon', async (tx) => {
      const addon = await this.locks.take(tx, known.addonId);
      const operation = await this.operations.lock(tx, id);
      if (operation === null) throw provisioningErrors.operation_not_found();
      const abandoned = operation.abandonedAt !== null;
      if (isFinal(operation.state)) {
        if (abandoned) return;
        throw provisioningErrors.operation_finished();
      }
      const now = this.clock.now();
      const deleting = operation.type === 'deprovision' || operation.state === 'cleaning';
      if (!deleting && abandoned) return;
      if (deleting && !withoutConfirmation) {
        if (abandoned) return;
        throw provisioningErrors.abandon_unconfirmed();
      }
      const underWay = operation.leaseUntil !== null && operation.leaseUntil > now;
      const state = next(operation.type, operation.state, 'abandoned');
      if (state === null) throw provisioningErrors.operation_not_abandonable();
      if (deleting) await this.effects.deletion(tx, operation, addon, state, author, reason, now);
      else await this.effects.creation(tx, operation, addon, underWay ? 'calling' : state, author, now);
      await this.effects.note(tx, author, operation, addon, reason);
    });
  }
}
