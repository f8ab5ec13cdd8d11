import type { OperationEvent } from '../operation.machine.js';
import type { Reply } from '../reply.js';

/** Statuses that say "not now" rather than "no". */
const TRY_AGAIN = [408, 425, 429];

/**
 * A run of an action: what a reply means. After a 202, and where there is no verdict, the same run is asked for again
 * under the same id, which is how a provider that works on tells that it is done.
 */
export function judgePartnerAction(reply: Reply): OperationEvent {
  if (reply.kind !== 'answered') return 'unknown';
  const { status, broken } = reply;
  if (status === 202) return 'accepted';
  // A result that was cut off is had by asking again.
  if (status >= 200 && status < 300) return broken === true ? 'unknown' : 'done';
  if (status < 400 || status >= 500) return 'unknown';
  return TRY_AGAIN.includes(status) ? 'unknown' : 'refused';
}
