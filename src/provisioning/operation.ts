import type { Author } from '../accounts/actor.js';
import { plusMs } from '../kernel/clock.js';
import { newId, type AddonId } from '../kernel/ids.js';
import type { Operation } from './operation.entity.js';
import type { OperationType } from './operation.machine.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a provider may stay without a verdict before a creation is given up and cleaned. */
export const PROVISION_DEADLINE_MS = 15 * MINUTE_MS;
/** How long a provider may take after a 202 (partner contract, part c). */
export const ACCEPTED_DEADLINE_MS = 12 * HOUR_MS;
/** After so long without a confirmed delete a person is told, and again each time it has passed. */
export const DELETE_DEADLINE_MS = 24 * HOUR_MS;

/** A new operation. It is due for the reconciler only after `graceMs`: until then its own job is on the way. */
export function openOperation(
  type: OperationType,
  addonId: AddonId,
  author: Author,
  now: Date,
  graceMs: number,
): Operation {
  return {
    id: newId(),
    addonId,
    type,
    state: 'queued',
    attempt: 0,
    leaseUntil: null,
    nextAttemptAt: plusMs(now, graceMs),
    nudgedUntil: null,
    deadlineAt: plusMs(now, type === 'provision' ? PROVISION_DEADLINE_MS : DELETE_DEADLINE_MS),
    actorId: author.kind === 'account' ? author.id : null,
    actorName: author.name,
    lastError: null,
    customerMessage: null,
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
