import { Inject, Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { SYSTEM } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { Clock, plusMs } from '../kernel/clock.js';
import { Database, type Tx } from '../kernel/db/database.js';
import { LOGGER, type Logger } from '../kernel/log.js';
import { RecordAction } from './actions/record-action.js';
import { AddonLocks } from './addon-locks.js';
import { CallGate } from './call-gate.js';
import type { Operation } from './operation.entity.js';
import { DELETE_DEADLINE_MS, retryWaitMs } from './operation.js';
import {
  isFinal,
  isReported,
  isUndoing,
  makesWay,
  next,
  type OperationEvent,
  type OperationState,
} from './operation.machine.js';
import { OperationRepository } from './operation.repository.js';
import type { Outcome } from './provider-calls.js';
import { RecordPlanChange } from './record-plan-change.js';
import { RecordProvisioned } from './record-provisioned.js';
import { RecordRemoved } from './record-removed.js';
import { honourReport } from './report.js';
import { retryAfterMs } from './retry-after.js';
import { StartDeprovision } from './start-deprovision.js';

const DELETED_MEANWHILE = 'The add-on is being deleted, so its plan was not changed.';
const ENDED_BY_DELETE = 'The add-on is being deleted; what the action did is not known.';

/** What an outcome means for the add-on. */
@Injectable()
export class OutcomeEffects {
  constructor(
    private readonly addons: AddonRepository,
    private readonly operations: OperationRepository,
    private readonly provisioned: RecordProvisioned,
    private readonly removed: RecordRemoved,
    private readonly startDeprovision: StartDeprovision,
    private readonly planChange: RecordPlanChange,
    private readonly action: RecordAction,
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
      for (const kind of ['plan_unconfirmed', 'plan_abandoned'] as const)
        await this.operations.resolveFinding(tx, addon.id, kind, now);
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

  /** The same for a plan change or an action, which no report of a provider's ends. */
  async runChange(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    outcome: Outcome,
    now: Date,
  ): Promise<void> {
    const author = authorOfOperation(operation);
    if (operation.type === 'action') await this.action.run(tx, operation, addon, state, outcome, author);
    else await this.planChange.run(tx, operation, addon, state, outcome, author, now);
    if (isFinal(state) && addon.deleteRequestedAt !== null)
      await this.startDeprovision.run(tx, await this.addons.get(tx, addon.id), author, now);
  }

  /**
   * An id that a live add-on of the service has already cannot be this one's: the answer is not believed. Nor is one that
   * a clean-up is deleting: its next delete would take the new resource along.
   */
  async refuseBorrowedId(tx: Tx, addon: Addon, outcome: Outcome): Promise<Outcome> {
    const { providerId } = outcome;
    if (providerId === null) return outcome;
    const isBorrowed =
      (await this.addons.hasProviderId(tx, addon.addonServiceId, providerId, addon.id)) ||
      (await this.operations.isCleaningUp(tx, addon, providerId));
    if (!isBorrowed) return outcome;
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
  async gaveUp(
    tx: Tx,
    operation: Operation,
    state: OperationState,
    now: Date,
    message: string,
  ): Promise<void> {
    const addon = await this.addons.get(tx, operation.addonId);
    if (operation.type === 'plan_change') {
      if (isFinal(state)) await this.planChange.failed(tx, operation, addon, SYSTEM, message, now);
    } else if (operation.type === 'action') await this.action.gaveUp(tx, operation, addon, SYSTEM, now);
    else await this.removed.creationFailed(tx, addon, SYSTEM, now, message);
  }

  /** A delete was asked for while nobody was at the operation: it ends here, and the delete begins. */
  async superseded(tx: Tx, operation: Operation, addon: Addon, now: Date): Promise<void> {
    const author = authorOfOperation(operation);
    if (operation.type === 'action') await this.action.ended(tx, operation, addon, 'failed', author);
    else await this.planChange.failed(tx, operation, addon, author, DELETED_MEANWHILE, now);
    await this.startDeprovision.run(tx, addon, author, now);
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
    private readonly gate: CallGate,
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
      const event = operation.abandonedAt === null ? judged.event : eventOfAbandoned(operation, judged.event);
      const judgedState = next(operation.type, operation.state, event);
      if (judgedState === null) throw new Error(`operation ${operation.id}: ${event} in ${operation.state}`);
      const state = endForDelete(operation, addon, judgedState);
      await this.operations.insertAttempt(tx, {
        operationId: operation.id,
        attempt: operation.attempt,
        call: judged.call,
        beganAt,
        endedAt: now,
        verdict: judged.event,
        status: judged.status,
        detail: judged.detail,
        request: judged.request,
        reply: judged.reply,
      });
      await this.operations.apply(
        tx,
        operation.id,
        operation.attempt,
        changeOf(operation, addon, state, judged, now),
      );
      if (makesWay(operation.type)) await this.effects.runChange(tx, operation, addon, state, judged, now);
      else await this.effects.run(tx, operation, addon, state, judged, now);
      await this.gate.learn(tx, operation, judged, now);
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
    // What an operator ended says so, also when its time is over.
    const abandoned = operation.abandonedAt === null ? null : operation.customerMessage;
    const unsent = operation.type === 'action' && operation.attempt === 0;
    const message = abandoned ?? (unsent ? NEVER_SENT : GAVE_UP[operation.type]);
    const finished = state === 'failed' ? { state, leaseUntil: null, finishedAt: now } : {};
    await this.operations.apply(tx, operation.id, operation.attempt, {
      ...finished,
      updatedAt: now,
      customerMessage: message,
    });
    await this.effects.gaveUp(tx, operation, state, now, message);
  }

  /** The caller holds the locks and knows that nobody is at the operation: the stored delete goes first. */
  async supersede(tx: Tx, operation: Operation, addon: Addon, now: Date): Promise<void> {
    await this.operations.apply(tx, operation.id, operation.attempt, {
      state: 'failed',
      leaseUntil: null,
      finishedAt: now,
      updatedAt: now,
      customerMessage: operation.type === 'action' ? ENDED_BY_DELETE : DELETED_MEANWHILE,
    });
    await this.effects.superseded(tx, operation, addon, now);
  }
}

const NEVER_SENT = 'The action could not be begun in time, and was not carried out; try again later.';
const GAVE_UP: Record<Operation['type'], string> = {
  provision: 'The add-on could not be created in time. Nothing was charged; try again later.',
  deprovision: 'The add-on could not be deleted in time; it is tried again.',
  plan_change: 'The plan could not be changed in time; the add-on keeps the one that it had.',
  action: 'The action had no verdict in time; ask the provider whether it was carried out.',
};

/** A delete that waits for a plan change or an action does not wait for certainty about it. */
function endForDelete(operation: Operation, addon: Addon, state: OperationState): OperationState {
  if (addon.deleteRequestedAt === null) return state;
  return next(operation.type, state, 'superseded') ?? state;
}

/** A refusal is the whole truth only where no earlier call can have got through. */
function doubtRefusal(operation: Operation, outcome: Outcome): Outcome {
  return outcome.event === 'refused' && operation.attempt > 1
    ? { ...outcome, event: 'refused_in_doubt' }
    : outcome;
}

/**
 * An operator gave it up during this call. Whatever a creation made is cleaned up; a plan change that the provider
 * confirms counts all the same, since its answer may hold the only credentials that work.
 */
function eventOfAbandoned({ type, state }: Operation, event: OperationEvent): OperationEvent {
  if (isUndoing(state) || event === 'refused') return event;
  return type === 'plan_change' && event !== 'unknown' ? event : 'abandoned';
}

function changeOf(
  operation: Operation,
  addon: Addon,
  state: OperationState,
  outcome: Outcome,
  now: Date,
): Partial<Operation> {
  const patient = operation.type === 'deprovision' || isUndoing(state);
  const beginsUndoing = isUndoing(state) && !isUndoing(operation.state);
  const deadlineAt = deadlineAfter(operation, addon, state, beginsUndoing, now);
  const waitMs = beginsUndoing ? 0 : retryWaitMs(operation.attempt, patient, Math.random());
  const askedMs = retryAfterMs(outcome.status, outcome.retryAfter, now);
  // Those that were all asked to wait as long do not come back in the same moment.
  const retryAt = plusMs(now, askedMs > waitMs ? askedMs + Math.round(Math.random() * 1_000) : waitMs);
  return {
    state,
    leaseUntil: null,
    updatedAt: now,
    deadlineAt,
    // Never later than the deadline, so that passing it is noticed at once.
    nextAttemptAt: isReported(operation.type, state) || retryAt > deadlineAt ? deadlineAt : retryAt,
    lastError: outcome.detail,
    customerMessage: messageAfter(operation, state, outcome),
    finishedAt: isFinal(state) ? now : null,
  };
}

/** What the customer is told; a success leaves nothing to say, though an operator may have given it up meanwhile. */
function messageAfter(operation: Operation, state: OperationState, outcome: Outcome): string | null {
  if (state === 'succeeded') return null;
  const said = ['refused', 'refused_in_doubt', 'unsupported', 'broke'].includes(outcome.event);
  return said ? outcome.message : operation.customerMessage;
}

function deadlineAfter(
  operation: Operation,
  addon: Addon,
  state: OperationState,
  beginsUndoing: boolean,
  now: Date,
): Date {
  const promisedMs = addon.plan.asyncDeadlineSeconds * 1_000;
  if (isReported(operation.type, state)) return plusMs(now, promisedMs);
  // From the beginning on: each further 202 brings no further time.
  if (state === 'waiting') return later(plusMs(operation.createdAt, promisedMs), operation.deadlineAt);
  return beginsUndoing ? plusMs(now, DELETE_DEADLINE_MS) : operation.deadlineAt;
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
