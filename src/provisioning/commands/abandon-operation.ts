import { Injectable } from '@nestjs/common';
import { authorOf, type Actor, type Author } from '../../accounts/actor.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { planName } from '../../catalog/catalog.entity.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { AddonLocks } from '../addon-locks.js';
import type { Operation } from '../operation.entity.js';
import { DELETE_DEADLINE_MS } from '../operation.js';
import { isFinal, isUndoing, next, type OperationState } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import { sentence } from '../pause.repository.js';
import { provisioningErrors } from '../provisioning.errors.js';
import { RecordPlanChange } from '../record-plan-change.js';
import { RecordRemoved } from '../record-removed.js';
import { StartDeprovision } from '../start-deprovision.js';

const PLAN_CHANGE_MESSAGE = 'The operator ended the plan change; the add-on keeps the plan that it had.';
const CUSTOMER_MESSAGE = 'The operator ended the creation. Nothing was charged; try again later.';

/** What an abandoned operation leaves behind. */
@Injectable()
export class AbandonEffects {
  constructor(
    private readonly operations: OperationRepository,
    private readonly removed: RecordRemoved,
    private readonly recordPlanChange: RecordPlanChange,
    private readonly startDeprovision: StartDeprovision,
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
    // Its answer may name the id to clean up.
    await this.giveUp(tx, operation, state, CUSTOMER_MESSAGE, now);
    await this.removed.creationFailed(tx, addon, author, now, CUSTOMER_MESSAGE);
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

  /**
   * Nothing was sent: the old plan stands. It may have got through: the old plan is asked for until the provider
   * confirms it. It is being asked for: that ends without the provider's word, and a finding stays.
   */
  async planChange(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    author: Author,
    reason: string,
    now: Date,
  ): Promise<void> {
    // A yes counts, with the credentials that come along.
    await this.giveUp(tx, operation, state, PLAN_CHANGE_MESSAGE, now);
    if (!isFinal(state)) return;
    await this.recordPlanChange.failed(tx, operation, addon, author, PLAN_CHANGE_MESSAGE, now);
    // A delete that waited for the call goes on; it makes every plan the right one.
    if (addon.deleteRequestedAt !== null) await this.startDeprovision.run(tx, addon, author, now);
    else if (operation.state === 'reverting') {
      const detail = `An operator ended a plan change before the provider confirmed ${planName(addon.plan)}, which is what is charged: ${sentence(reason)} The provider may hold ${addon.providerId ?? addon.id} with another plan.`;
      await this.operations.openFinding(tx, addon.id, 'plan_abandoned', detail, now);
    }
  }

  async note(tx: Tx, author: Author, operation: Operation, addon: Addon, reason: string): Promise<void> {
    await this.audit.add(tx, author, {
      action: 'operation.abandoned',
      subject: { kind: 'operation', id: operation.id },
      appId: addon.appId,
      details: { type: operation.type, state: operation.state, addon: addon.id, reason },
    });
  }

  /** A call that is under way keeps its claim; any other worker loses it. */
  private async giveUp(
    tx: Tx,
    operation: Operation,
    state: OperationState,
    customerMessage: string,
    now: Date,
  ): Promise<void> {
    const ended = isFinal(state) ? { finishedAt: now } : { deadlineAt: plusMs(now, DELETE_DEADLINE_MS) };
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
      customerMessage,
      updatedAt: now,
    });
    if (isUndoing(state)) await this.outbox.add(tx, 'operation.advance', { operationId: operation.id });
  }
}

/**
 * An operator gives an operation up. A creation is cleaned up at the provider until that is confirmed, and a plan change
 * taken back; a delete, such a clean-up and such a way back end only where `withoutConfirmation` says that this is meant. Doing it twice changes nothing more.
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
      // Only the provider can tell what it holds: to end it without that word must be meant.
      const unconfirmed = operation.type === 'deprovision' || isUndoing(operation.state);
      if (!unconfirmed && abandoned) return;
      if (unconfirmed && !withoutConfirmation) {
        if (abandoned) return;
        throw provisioningErrors.abandon_unconfirmed();
      }
      const underWay = operation.leaseUntil !== null && operation.leaseUntil > now;
      const state = next(operation.type, operation.state, 'abandoned');
      if (state === null) throw provisioningErrors.operation_not_abandonable();
      const reached = underWay && !unconfirmed ? 'calling' : state;
      if (operation.type === 'plan_change')
        await this.effects.planChange(tx, operation, addon, reached, author, reason, now);
      else if (unconfirmed) await this.effects.deletion(tx, operation, addon, state, author, reason, now);
      else await this.effects.creation(tx, operation, addon, reached, author, now);
      await this.effects.note(tx, author, operation, addon, reason);
    });
  }
}
