import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import {
  ACTION,
  DEPROVISION,
  isFinal,
  next,
  PLAN_CHANGE,
  PROVISION,
  type OperationEvent,
  type OperationState,
} from './operation.machine.js';

const states = Object.keys(PROVISION) as OperationState[];

describe.each([
  ['provision', PROVISION],
  ['deprovision', DEPROVISION],
  ['plan_change', PLAN_CHANGE],
  ['action', ACTION],
] as const)('the %s machine', (type, machine) => {
  it('leaves no final state', () => {
    for (const state of states.filter(isFinal)) assert.deepEqual(machine[state], {});
  });

  it('reaches a final state from every state that it can be in', () => {
    const reachable = (from: OperationState): Set<OperationState> => {
      const seen = new Set<OperationState>([from]);
      for (const state of seen) for (const to of Object.values(machine[state])) seen.add(to);
      return seen;
    };
    for (const state of reachable('queued'))
      assert.ok([...reachable(state)].some(isFinal), `${state} leads to no final state`);
  });

  it('gives null for an event that means nothing in a state', () => {
    assert.equal(next(type, 'succeeded', 'done'), null);
    assert.equal(next(type, 'queued', 'done'), null);
  });

  it('never forgets a call that may have reached the provider', () => {
    const risky: OperationEvent[] = ['unknown', 'lost'];
    for (const event of risky) assert.equal(next(type, 'calling', event), 'unsure');
  });
});

it('gives a provision up only by a refusal, before anything was sent, by a confirmed clean-up, or by an operator', () => {
  const ways = states.flatMap((state) =>
    Object.entries(PROVISION[state])
      .filter(([, to]) => to === 'failed')
      .map(([event]) => `${state}/${event}`),
  );
  assert.deepEqual(ways, [
    'queued/expired',
    'queued/abandoned',
    'calling/refused',
    'cleaning/cleaned',
    'cleaning/abandoned',
  ]);
});

it('fails a plan change only by a refusal, before anything was sent, by a confirmed way back, for a delete, or by an operator', () => {
  const ways = states.flatMap((state) =>
    Object.entries(PLAN_CHANGE[state])
      .filter(([, to]) => to === 'failed')
      .map(([event]) => `${state}/${event}`),
  );
  assert.deepEqual(ways, [
    'queued/expired',
    'queued/superseded',
    'queued/abandoned',
    'calling/refused',
    'calling/unsupported',
    'unsure/superseded',
    'reverting/reverted',
    'reverting/superseded',
    'reverting/abandoned',
  ]);
});
