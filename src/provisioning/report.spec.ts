import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { OperationEvent, OperationState, OperationType } from './operation.machine.js';
import type { Outcome } from './provider-calls.js';
import { honourReport, stepOf, type Report, type Reported } from './report.js';

describe('what a report does', () => {
  const cases: [OperationType, OperationState, Report, string][] = [
    ['provision', 'calling', 'provisioned', 'keep done'],
    ['provision', 'calling', 'deprovisioned', 'keep broke'],
    ['provision', 'unsure', 'provisioned', 'keep done'],
    ['provision', 'unsure', 'deprovisioned', 'move broke cleaning'],
    ['provision', 'waiting', 'provisioned', 'move done succeeded'],
    ['provision', 'waiting', 'deprovisioned', 'move broke cleaning'],
    ['deprovision', 'queued', 'deprovisioned', 'keep done'],
    ['deprovision', 'calling', 'deprovisioned', 'keep done'],
    ['deprovision', 'unsure', 'deprovisioned', 'move done succeeded'],
    ['deprovision', 'waiting', 'deprovisioned', 'move done succeeded'],
    ['deprovision', 'waiting', 'provisioned', 'repeat'],
  ];
  it.each(cases)('to a %s that is %s, by %s: %s', (type, state, report, expected) => {
    assert.equal(Object.values(stepOf(report, { type, state, reported: null })).join(' '), expected);
  });

  it('to an add-on that nothing is being done to', () => {
    assert.deepEqual(stepOf('provisioned', null), { kind: 'repeat' });
    assert.deepEqual(stepOf('deprovisioned', null), { kind: 'refuse' });
  });

  it('once it reported failure: nothing more', () => {
    assert.deepEqual(stepOf('provisioned', { type: 'provision', state: 'calling', reported: 'broke' }), {
      kind: 'repeat',
    });
  });
});

describe('what an answer means with a report', () => {
  const cases: [OperationType, Reported, OperationEvent, OperationEvent][] = [
    ['provision', 'done', 'accepted', 'done'],
    ['provision', 'done', 'done', 'done'],
    ['provision', 'done', 'unknown', 'unknown'],
    ['provision', 'done', 'refused', 'refused'],
    ['provision', 'broke', 'accepted', 'broke'],
    ['provision', 'broke', 'done', 'broke'],
    ['provision', 'broke', 'unknown', 'broke'],
    ['provision', 'broke', 'refused', 'refused'],
    ['deprovision', 'done', 'accepted', 'done'],
    ['deprovision', 'done', 'unknown', 'done'],
    ['deprovision', 'done', 'done', 'done'],
  ];
  const outcome = (call: Outcome['call'], event: OperationEvent): Outcome => ({
    call,
    event,
    status: null,
    detail: null,
    answer: null,
    providerId: null,
    message: null,
    request: null,
    reply: null,
  });
  it.each(cases)('%s, reported %s: %s is %s', (type, reported, event, expected) => {
    assert.equal(honourReport({ type, reported }, outcome(type, event)).event, expected);
  });

  it('of a clean-up is what it is', () => {
    assert.equal(
      honourReport({ type: 'provision', reported: 'broke' }, outcome('clean', 'unknown')).event,
      'unknown',
    );
  });
});
