import type { OperationEvent } from './operation.machine.js';
import type { Reply } from './reply.js';

/** Statuses that say "not now" rather than "no". */
const TRY_AGAIN = [408, 425, 429];
/** No such route or no such resource: whoever answers so has changed no plan (partner contract, part b). */
const CANNOT = [404, 405, 410];

/** Partner API v3, plan change: what a reply means. A 202 counts as changed; config may be sent later. */
export function judgePartnerPlanChange(reply: Reply, readable: boolean): OperationEvent {
  if (reply.kind !== 'answered') return 'unknown';
  const { status } = reply;
  if (status === 202) return 'done';
  // What cannot be read may hold credentials that the apps need: the same plan is asked for again, and that repeats them.
  if (status >= 200 && status < 300) return readable ? 'done' : 'unknown';
  if (CANNOT.includes(status)) return 'unsupported';
  if (status < 400 || status >= 500) return 'unknown';
  return TRY_AGAIN.includes(status) ? 'unknown' : 'refused';
}

/** The same reply when the old plan is asked for again, where a refusal leaves open which plan there is. */
export function judgePartnerRevert(reply: Reply, readable: boolean): OperationEvent {
  const event = judgePartnerPlanChange(reply, readable);
  if (event === 'done' || event === 'unsupported') return 'reverted';
  return event === 'refused' ? 'stranded' : 'unknown';
}
