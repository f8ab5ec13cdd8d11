/** What is being done to an add-on. */
export type OperationType = 'provision' | 'deprovision' | 'plan_change' | 'action';

export type OperationState =
  | 'queued' // committed; nobody has called the provider yet
  | 'calling' // a worker holds a lease and may be talking to the provider
  | 'unsure' // the outcome of the last call is not known; the same call is made again
  | 'waiting' // the provider answered 202 and will call back; an action is asked for again
  | 'cleaning' // given up; the provider may hold a resource that we cannot see, so it is deleted until confirmed
  | 'reverting' // the new plan has no verdict by its deadline; the old one is asked for until that is confirmed
  | 'succeeded'
  | 'failed';

export type OperationEvent =
  | 'claimed' // a worker took the lease
  | 'lost' // the lease ran out: its worker is dead or stuck
  | 'accepted' // 202
  | 'done'
  | 'refused' // the provider said no, for good
  | 'refused_in_doubt' // it said no, but an earlier call without a verdict may have got through
  | 'unknown' // no verdict: timed out, reset, malformed, 5xx
  | 'broke' // the provider reported that its asynchronous work failed
  | 'expired' // the deadline passed
  | 'abandoned' // an operator gave it up
  | 'cleaned' // the provider confirmed that it holds nothing
  | 'unsupported' // the provider cannot change plans, and so never changed this one
  | 'reverted' // the provider confirmed the old plan
  | 'stranded' // the provider refuses the old plan: a person is told, and it is asked again
  | 'superseded'; // a delete was asked for, which makes every plan the right one and every action pointless

type Machine = Record<OperationState, Partial<Record<OperationEvent, OperationState>>>;

export const PROVISION: Machine = {
  // Expired while queued: nothing was ever sent, so there is nothing to clean.
  queued: { claimed: 'calling', expired: 'failed', abandoned: 'failed' },
  calling: {
    accepted: 'waiting',
    done: 'succeeded',
    refused: 'failed',
    refused_in_doubt: 'cleaning',
    broke: 'cleaning',
    unknown: 'unsure',
    lost: 'unsure',
    abandoned: 'cleaning',
  },
  unsure: { claimed: 'calling', broke: 'cleaning', expired: 'cleaning', abandoned: 'cleaning' },
  waiting: { done: 'succeeded', broke: 'cleaning', expired: 'cleaning', abandoned: 'cleaning' },
  // Only a confirmed delete leaves this state, however long it takes; or an operator, and that leaves a finding.
  cleaning: {
    claimed: 'cleaning',
    unknown: 'cleaning',
    lost: 'cleaning',
    cleaned: 'failed',
    abandoned: 'failed',
  },
  reverting: {},
  succeeded: {},
  failed: {},
};

/** A delete has no way back: it is repeated until the provider confirms it, or an operator ends it with a finding. */
export const DEPROVISION: Machine = {
  queued: { claimed: 'calling', abandoned: 'failed' },
  calling: {
    accepted: 'waiting',
    done: 'succeeded',
    unknown: 'unsure',
    lost: 'unsure',
    abandoned: 'failed',
  },
  unsure: { claimed: 'calling', done: 'succeeded', abandoned: 'failed' },
  // A provider that never called back is asked again; its answer tells whether the resource is gone.
  waiting: { done: 'succeeded', expired: 'unsure', abandoned: 'failed' },
  cleaning: {},
  reverting: {},
  succeeded: {},
  failed: {},
};

/** A change has two honest ends: the provider confirmed the new plan, or it is certain that the old one stands. */
export const PLAN_CHANGE: Machine = {
  queued: { claimed: 'calling', expired: 'failed', superseded: 'failed', abandoned: 'failed' },
  calling: {
    done: 'succeeded',
    refused: 'failed',
    unsupported: 'failed',
    refused_in_doubt: 'reverting',
    unknown: 'unsure',
    lost: 'unsure',
    abandoned: 'reverting',
  },
  unsure: { claimed: 'calling', expired: 'reverting', superseded: 'failed', abandoned: 'reverting' },
  waiting: {},
  cleaning: {},
  // Only the provider's word on the old plan leaves this state, or the end of the add-on; or an operator, with a finding.
  reverting: {
    claimed: 'reverting',
    unknown: 'reverting',
    lost: 'reverting',
    stranded: 'reverting',
    reverted: 'failed',
    superseded: 'failed',
    abandoned: 'failed',
  },
  succeeded: {},
  failed: {},
};

/**
 * There is no way back from an action, so what has no verdict is asked for again under the same id. That is also how a
 * run is followed after a 202.
 */
export const ACTION: Machine = {
  queued: { claimed: 'calling', expired: 'failed', superseded: 'failed' },
  calling: {
    accepted: 'waiting',
    done: 'succeeded',
    refused: 'failed',
    // Providers know a run by its id, so a refusal is the truth about all calls for it.
    refused_in_doubt: 'failed',
    unknown: 'unsure',
    lost: 'unsure',
  },
  unsure: { claimed: 'calling', expired: 'failed', superseded: 'failed' },
  waiting: { claimed: 'calling', expired: 'failed', superseded: 'failed' },
  cleaning: {},
  reverting: {},
  succeeded: {},
  failed: {},
};

const MACHINES: Record<OperationType, Machine> = {
  provision: PROVISION,
  deprovision: DEPROVISION,
  plan_change: PLAN_CHANGE,
  action: ACTION,
};

/** Where an event leads from a state; null where it means nothing there, such as a late answer. */
export function next(
  type: OperationType,
  state: OperationState,
  event: OperationEvent,
): OperationState | null {
  return MACHINES[type][state][event] ?? null;
}

/** The provider reports the end by itself, so that nobody asks before the deadline. */
export function isReported(type: OperationType, state: OperationState): boolean {
  return state === 'waiting' && next(type, state, 'claimed') === null;
}

/** A delete that was asked for ends it, once nobody is at it. */
export function makesWay(type: OperationType): boolean {
  return next(type, 'queued', 'superseded') !== null;
}

/** What may have got through is being taken back, for as long as it takes. */
export function isUndoing(state: OperationState): boolean {
  return state === 'cleaning' || state === 'reverting';
}

export function isFinal(state: OperationState): boolean {
  return state === 'succeeded' || state === 'failed';
}
