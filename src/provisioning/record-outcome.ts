import { Inject, Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { SYSTEM } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { Clock, plusMs } from '../kernel/clock.js';
import { Database, type Tx } from '../kernel/db/database.js';
import { LOGGER, type Logger } from '../kernel/log.js';
import { AddonLocks } from './addon-locks.js';
import type { Operation } from './operation.entity.js';
import { ACCEPTED_DEADLINE_MS, DELETE_DEADLINE_MS, retryWaitMs } from './operation.js';
import { isFinal, next, type OperationState } from './operation.machine.js';
import { OperationRepository } from './operation.repository.js';
import type { Outcome } from './provider-calls.js';
import { RecordProvisioned } from './record-provisioned.js';
import { RecordRemoved } from './record-removed.js';
import { honourReport } from './report.js';
import { StartDeprovision } from './start-deprovision.js';

/** What an outcome means for the add-on. */
@Injectable()
export class OutcomeEffects {
  constructor(
    private readonly addons: AddonRepository,
    private readonly operations: OperationRepository,
    private readonly provisioned: RecordProvisioned,
    private readonly removed: RecordRemoved,
    private readonly startDeprovision: StartDeprovision,
  ) {}

  async run(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    outcome: Pick<Outcome, 'answer' | 'message'>,
    now: Date,
    author: Author = authorOfOperation(operation),
  ): Promise<void> {
    if (operation.type === 'deprovision') {
      if (state !== 'succeeded') return;
      await this.removed.deprovisioned(tx, addon, author, now);
      await this.operations.resolveFinding(tx, addon.id, 'delete_unconfirmed', now);
      return;
    }
    if (state === 'succeeded') {
      const unwanted = addon.deleteRequestedAt !== null;
      await this.provisioned.run(tx, addon, outcome.answer, author, now, unwanted);
      if (unwanted) await this.startDeprovision.run(tx, await this.addons.get(tx, addon.id), author, now);
    } else if (state === 'waiting') {
      await this.provisioned.accepted(tx, addon, outcome.answer, outcome.message, now);
    } else if (state === 'failed' || state === 'cleaning') {
      // The customer's side ends as soon as it is known to fail; a clean-up goes on behind it.
      await this.removed.creationFailed(tx, addon, author, now, outcome.message);
      if (state === 'failed') await this.operations.resolveFinding(tx, addon.id, 'delete_unconfirmed', now);
    }
  }

  /** An id that a live add-on of the service has already cannot be this one's: the answer is not believed. */
  async refuseBorrowedId(tx: Tx, addon: Addon, outcome: Outcome): Promise<Outcome> {
    const { providerId } = outcome;
    if (providerId === null) return outcome;
    if (!(await this.addons.hasProviderId(tx, addon.addonServiceId, providerId, addon.id))) return outcome;
    return {
      ...outcome,
      event: 'unknown',
      answer: null,
      providerId: null,
      detail: 'the provider gave the id of another live resource',
    };
  }

  /**
   * Kept from the first answer that names it, since a clean-up may need it before there is a whole answer. A provider
   * that goes on to name another one may have made two resources, which only a person can settle.
   */
  async keepProviderId(tx: Tx, addon: Addon, { providerId }: Outcome, now: Date): Promise<void> {
    if (providerId === null || providerId === addon.providerId) return;
    await this.addons.setProviderId(tx, addon.id, providerId);
    if (addon.providerId === null) return;
    const detail = `The provider answered the same request with the id ${addon.providerId}, then with ${providerId}.`;
    await this.operations.openFinding(tx, addon.id, 'provider_id_changed', neutralise(detail) ?? detail, now);
  }

  /** The caller holds the add-on's locks. */
  async gaveUp(tx: Tx, operation: Operation, now: Date, message: string): Promise<void> {
    const addon = await this.addons.get(tx, operation.addonId);
    await this.removed.creationFailed(tx, addon, SYSTEM, now, message);
  }
}

/** Whoever asked for the operation is the author of what it brings. */
function authorOfOperation(operation: Operation): Author {
  return operation.actorId === null
    ? SYSTEM
    : { kind: 'account', id: operation.actorId, name: operation.actorName, requestId: null };
}

/** Writes down what a call brought, with all that follows from it, in one transaction. */
@Injectable()
export class RecordOutcome {
  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly locks: AddonLocks,
    private readonly operations: OperationRepository,
    private readonly effects: OutcomeEffects,
  ) {}

  /** Does nothing where another worker has claimed the operation since: its record counts, not ours. */
  async run(claimed: Operation, outcome: Outcome, beganAt: Date): Promise<void> {
    await this.db.transaction(`${claimed.type}.record`, async (tx) => {
      const addon = await this.locks.take(tx, claimed.addonId);
      const operation = await this.operations.lock(tx, claimed.id);
      if (operation === null || operation.attempt !== claimed.attempt || isFinal(operation.state)) return;
      const now = this.clock.now();
      const judged = honourReport(
        operation,
        doubtRefusal(operation, await this.effects.refuseBorrowedId(tx, addon, outcome)),
      );
      await this.effects.keepProviderId(tx, addon, judged, now);
      const state = next(operation.type, operation.state, judged.event);
      if (state === null) throw new Error(`operation ${operation.id}: ${judged.event} in ${operation.state}`);
      await this.operations.insertAttempt(tx, {
        operationId: operation.id,
        attempt: operation.attempt,
        call: judged.call,
        beganAt,
        endedAt: now,
        verdict: judged.event,
        status: judged.status,
        detail: judged.detail,
      });
      await this.operations.apply(
        tx,
        operation.id,
        operation.attempt,
        changeOf(operation, state, judged, now),
      );
      await this.effects.run(tx, operation, addon, state, judged, now);
      this.log.info(
        {
          operationId: operation.id,
          addonId: addon.id,
          call: judged.call,
          attempt: operation.attempt,
          verdict: judged.event,
          status: judged.status,
          state,
          detail: judged.detail,
        },
        'provider answered',
      );
    });
  }

  /** The deadline passed, and the caller holds the add-on's locks: the customer's side ends here; a clean-up may go on behind it. */
  async gaveUp(tx: Tx, operation: Operation, state: OperationState, now: Date): Promise<void> {
    const message = 'The add-on could not be created in time. Nothing was charged; try again later.';
    const finished = state === 'failed' ? { state, leaseUntil: null, finishedAt: now } : {};
    await this.operations.apply(tx, operation.id, operation.attempt, {
      ...finished,
      updatedAt: now,
      customerMessage: message,
    });
    await this.effects.gaveUp(tx, operation, now, message);
  }
}

/** A refusal is the whole truth only where no earlier call can have got through. */
function doubtRefusal(operation: Operation, outcome: Outcome): Outcome {
  return outcome.event === 'refused' && operation.attempt > 1
    ? { ...outcome, event: 'refused_in_doubt' }
    : outcome;
}

function changeOf(
  operation: Operation,
  state: OperationState,
  outcome: Outcome,
  now: Date,
): Partial<Operation> {
  const deleting = operation.type === 'deprovision' || state === 'cleaning';
  const entersCleaning = state === 'cleaning' && operation.state !== 'cleaning';
  const deadlineAt = deadlineAfter(operation, state, entersCleaning, now);
  const retryAt = entersCleaning ? now : plusMs(now, retryWaitMs(operation.attempt, deleting, Math.random()));
  return {
    state,
    leaseUntil: null,
    updatedAt: now,
    deadlineAt,
    // Never later than the deadline, so that passing it is noticed at once.
    nextAttemptAt: state === 'waiting' || retryAt > deadlineAt ? deadlineAt : retryAt,
    lastError: outcome.detail,
    customerMessage:
      outcome.event === 'refused' || outcome.event === 'refused_in_doubt' || outcome.event === 'broke'
        ? outcome.message
        : operation.customerMessage,
    finishedAt: isFinal(state) ? now : null,
  };
}

function deadlineAfter(
  operation: Operation,
  state: OperationState,
  entersCleaning: boolean,
  now: Date,
): Date {
  if (state === 'waiting') return plusMs(now, ACCEPTED_DEADLINE_MS);
  return entersCleaning ? plusMs(now, DELETE_DEADLINE_MS) : operation.deadlineAt;
}
