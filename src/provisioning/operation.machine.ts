/** What is being done to an add-on. */
export type OperationType = 'provision' | 'deprovision';

export type OperationState =
  | 'queued' // committed; nobody has called the provider yet
  | 'calling' // a worker holds a lease and may be talking to the provider
  | 'unsure' // the outcome of the last call is not known; the same call is made again
  | 'waiting' // the provider answered 202 and will call back
  | 'cleaning' // given up; the provider may hold a resource that we cannot see, so it is deleted until confirmed
  | 'succeeded'
  | 'failed';

export type OperationEvent =
  | 'claimed' // a worker took the lease
  | 'lost' // the lease ran out: its worker is dead or stuck
  | 'accepted' // 202
  | 'done'
  | 'refused' // the provider said no, for good
  | 'refused_in_doubt' // it said no, but an earlier call without a verdict may have made the resource
  | 'unknown' // no verdict: timed out, reset, malformed, 5xx
  | 'broke' // the provider reported that its asynchronous work failed
  | 'expired' // the deadline passed
  | 'cleaned'; // the provider confirmed that it holds nothing

type Machine = Record<OperationState, Partial<Record<OperationEvent, OperationState>>>;

export const PROVISION: Machine = {
  // Expired while queued: nothing was ever sent, so there is nothing to clean.
  queued: { claimed: 'calling', expired: 'failed' },
  calling: {
    accepted: 'waiting',
    done: 'succeeded',
    refused: 'failed',
    refused_in_doubt: 'cleaning',
    broke: 'cleaning',
    unknown: 'unsure',
    lost: 'unsure',
  },
  unsure: { claimed: 'calling', broke: 'cleaning', expired: 'cleaning' },
  waiting: { done: 'succeeded', broke: 'cleaning', expired: 'cleaning' },
  // Only a confirmed delete leaves this state, however long it takes.
  cleaning: { claimed: 'cleaning', unknown: 'cleaning', lost: 'cleaning', cleaned: 'failed' },
  succeeded: {},
  failed: {},
};

/** A delete has no way back: it is repeated until the provider confirms it. */
export const DEPROVISION: Machine = {
  queued: { claimed: 'calling' },
  calling: { accepted: 'waiting', done: 'succeeded', unknown: 'unsure', lost: 'unsure' },
  unsure: { claimed: 'calling', done: 'succeeded' },
  // A provider that never called back is asked again; its answer tells whether the resource is gone.
  waiting: { done: 'succeeded', expired: 'unsure' },
  cleaning: {},
  succeeded: {},
  failed: {},
};

const MACHINES: Record<OperationType, Machine> = { provision: PROVISION, deprovision: DEPROVISION };

/** Where an event leads from a state; null where it means nothing there, such as a late answer. */
export function next(
  type: OperationType,
  state: OperationState,
  event: OperationEvent,
): OperationState | null {
  return MACHINES[type][state][event] ?? null;
}

export function isFinal(state: OperationState): boolean {
  return state === 'succeeded' || state === 'failed';
}
