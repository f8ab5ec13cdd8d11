import { next, type OperationEvent, type OperationState, type OperationType } from './operation.machine.js';

/** What a provider says by `actions/provision` and `actions/deprovision`: that there is a resource, or that there is none. */
export type Report = 'provisioned' | 'deprovisioned';

/** The same in the words of the machine, as the operation keeps it. */
export type Reported = 'done' | 'broke';

/** What of an operation a report depends on. */
interface Reportable {
  type: OperationType;
  state: OperationState;
  reported: Reported | null;
}

/** What customers read of a creation that its provider gave up. */
export const BROKE_MESSAGE =
  'The provider could not create the add-on. Nothing was charged; try again later.';

/** What a report does to the operation that is running. */
export type ReportStep =
  /** The operation moves on now. */
  | { kind: 'move'; event: Reported; state: OperationState }
  /** It came before the answer that it belongs to; whoever records that answer will honour it. */
  | { kind: 'keep'; event: Reported }
  /** It says what is so already, or what is over. */
  | { kind: 'repeat' }
  /** It says the opposite of what is so. */
  | { kind: 'refuse' };

/** `operation`: the one that is running; null: none. The add-on is not gone. */
export function stepOf(report: Report, operation: Reportable | null): ReportStep {
  if (operation?.type === 'provision') {
    const event = report === 'provisioned' ? 'done' : 'broke';
    // Once it gave up it cannot be ready: the clean-up has to go on.
    if (operation.reported === 'broke') return { kind: 'repeat' };
    return stepIn(operation, event);
  }
  if (operation?.type === 'deprovision')
    return report === 'deprovisioned' ? stepIn(operation, 'done') : { kind: 'repeat' };
  return report === 'provisioned' ? { kind: 'repeat' } : { kind: 'refuse' };
}

function stepIn({ type, state }: Pick<Reportable, 'type' | 'state'>, event: Reported): ReportStep {
  const to = state === 'calling' ? null : next(type, state, event);
  return to === null ? { kind: 'keep', event } : { kind: 'move', event, state: to };
}

/**
 * What an answer means once the provider has reported as well. A report of failure counts more than any answer but a
 * refusal, since a resource that its maker gave up is of no use; a report of success ends what a 202 began.
 */
export function honourReport<T extends { call: string; event: OperationEvent; message: string | null }>(
  { type, reported }: Pick<Reportable, 'type' | 'reported'>,
  outcome: T,
): T {
  if (reported === null || outcome.call !== type) return outcome;
  const isOpen: OperationEvent[] = [
    'accepted',
    'unknown',
    ...(reported === 'broke' ? ['done' as const] : []),
  ];
  if (!isOpen.includes(outcome.event)) return outcome;
  if (reported === 'broke') return { ...outcome, event: 'broke', message: BROKE_MESSAGE };
  // Without any answer a creation is asked for again: what it would hold may be needed.
  if (type === 'provision' && outcome.event === 'unknown') return outcome;
  return { ...outcome, event: 'done' };
}
