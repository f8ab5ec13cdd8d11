import type { Author } from '../accounts/actor.js';
import { plusMs } from '../kernel/clock.js';
import { newId, type AddonId, type PlanId } from '../kernel/ids.js';
import type { Cents } from '../kernel/money.js';
import type { Operation } from './operation.entity.js';
import type { OperationType } from './operation.machine.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a provider may stay without a verdict before a creation is given up and cleaned. */
export const PROVISION_DEADLINE_MS = 15 * MINUTE_MS;
/** How long a provider may stay without a verdict before the old plan is asked for again. */
export const PLAN_CHANGE_DEADLINE_MS = 15 * MINUTE_MS;
/** How long a provider may stay without a verdict before an action is given up; after a 202 the plan's own time counts. */
export const ACTION_DEADLINE_MS = 15 * MINUTE_MS;
/** After so long without a confirmed delete a person is told, and again each time it has passed. */
export const DELETE_DEADLINE_MS = 24 * HOUR_MS;

/** What a plan change leads to, at the price that was shown when it was asked for. */
export interface PlanTarget {
  planId: PlanId;
  priceCents: Cents;
  priceCurrency: string;
}

const DEADLINES_MS: Record<OperationType, number> = {
  provision: PROVISION_DEADLINE_MS,
  deprovision: DELETE_DEADLINE_MS,
  plan_change: PLAN_CHANGE_DEADLINE_MS,
  action: ACTION_DEADLINE_MS,
};

/** A new operation. It is due for the reconciler only after `graceMs`: until then its own job is on the way. */
export function openOperation(
  type: OperationType,
  addonId: AddonId,
  author: Author,
  now: Date,
  graceMs: number,
  target: PlanTarget | null = null,
): Operation {
  return {
    id: newId(),
    addonId,
    type,
    state: 'queued',
    planId: target?.planId ?? null,
    priceCents: target?.priceCents ?? null,
    priceCurrency: target?.priceCurrency ?? null,
    attempt: 0,
    leaseUntil: null,
    nextAttemptAt: plusMs(now, graceMs),
    nudgedUntil: null,
    deadlineAt: plusMs(now, DEADLINES_MS[type]),
    actorId: author.kind === 'account' ? author.id : null,
    actorName: author.name,
    lastError: null,
    customerMessage: null,
    heldBy: null,
    abandonedAt: null,
    reported: null,
    reportedAt: null,
    createdAt: now,
    updatedAt: now,
    finishedAt: null,
  };
}

const FIRST_WAIT_MS = 1_000;
const CREATE_WAIT_MAX_MS = MINUTE_MS;
const DELETE_WAIT_MAX_MS = 10 * MINUTE_MS;

/** The wait before the next call: doubled each time, bounded, and spread by `random` (0 to 1) to half of itself. */
export function retryWaitMs(attempt: number, deleting: boolean, random: number): number {
  const bound = deleting ? DELETE_WAIT_MAX_MS : CREATE_WAIT_MAX_MS;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(Math.max(attempt - 1, 0), 20), bound);
  return Math.round(wait * (0.5 + random / 2));
}
