import type { OperationEvent } from './operation.machine.js';
import type { Reply } from './reply.js';

/** Statuses that say "not now" rather than "no". */
const TRY_AGAIN = [408, 425, 429];

/** Partner API v3, provision: what a reply means (partner contract, part b, "Provision"). */
export function judgePartnerProvision(reply: Reply, wellFormed: boolean): OperationEvent {
  if (reply.kind !== 'answered') return 'unknown';
  const { status } = reply;
  if (status === 202) return 'accepted';
  // A success that cannot be read is no success: the same uuid is sent again, and the provider repeats its answer.
  if (status >= 200 && status < 300) return wellFormed ? 'done' : 'unknown';
  if (status < 400 || status >= 500) return 'unknown';
  return TRY_AGAIN.includes(status) ? 'unknown' : 'refused';
}

/** Partner API v3, deprovision: gone is gone, whoever deleted it; nothing else counts as confirmed. */
export function judgePartnerDeprovision(reply: Reply): OperationEvent {
  if (reply.kind !== 'answered') return 'unknown';
  const { status } = reply;
  if (status === 202) return 'accepted';
  if ((status >= 200 && status < 300) || status === 404 || status === 410) return 'done';
  return 'unknown';
}

/** The same reply while cleaning up after a failed provision, where an acceptance is not yet a confirmation. */
export function judgePartnerCleaning(reply: Reply): OperationEvent {
  return judgePartnerDeprovision(reply) === 'done' ? 'cleaned' : 'unknown';
}
