import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { plusMs } from '../kernel/clock.js';
import { newId, type OperationId } from '../kernel/ids.js';
import {
  afterCall,
  CLOSED,
  lookAgainAt,
  openMs,
  passage,
  signOf,
  SILENT_OPERATIONS_MAX,
  type Circuit,
} from './circuit.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const ids = Array.from({ length: 8 }, () => newId<OperationId>());
const id = (index: number): OperationId => ids[index] ?? newId();
const failing = (count: number): Circuit => ({ ...CLOSED, failing: ids.slice(0, count) });
const open = (also: Partial<Circuit> = {}): Circuit => ({
  state: 'open',
  failing: ids.slice(0, 5),
  trips: 1,
  openedAt: NOW,
  probeAt: plusMs(NOW, 10_000),
  probeOperationId: null,
  ...also,
});
const halfOpen = (also: Partial<Circuit> = {}): Circuit =>
  open({ state: 'half_open', probeAt: plusMs(NOW, 40_000), probeOperationId: id(0), ...also });

describe('the circuit after a call', () => {
  it.each<[string, Circuit, 'answered' | 'silent', number, Partial<Circuit>]>([
    ['closed, an answer', CLOSED, 'answered', 0, CLOSED],
    ['closed, the first silence', CLOSED, 'silent', 0, { state: 'closed', failing: [id(0)] }],
    [
      'closed, the same operation again',
      failing(4),
      'silent',
      3,
      { state: 'closed', failing: ids.slice(0, 4) },
    ],
    ['closed, an answer in between', failing(4), 'answered', 5, CLOSED],
    [
      'closed, one operation too many',
      failing(SILENT_OPERATIONS_MAX - 1),
      'silent',
      6,
      { state: 'open', trips: 1, openedAt: NOW, probeAt: plusMs(NOW, 10_000) },
    ],
    ['open, a late silence', open(), 'silent', 7, { state: 'open', trips: 1, probeAt: open().probeAt }],
    ['open, a late answer', open(), 'answered', 7, CLOSED],
    ['half open, the answer', halfOpen(), 'answered', 0, CLOSED],
    [
      'half open, silence again',
      halfOpen(),
      'silent',
      0,
      { state: 'open', trips: 2, probeAt: plusMs(NOW, 20_000), probeOperationId: null },
    ],
    ['half open, a late silence of another', halfOpen(), 'silent', 3, { state: 'half_open', trips: 1 }],
  ])('%s', (_case, circuit, sign, operation, expected) => {
    const after = afterCall(circuit, sign, id(operation), NOW, 1);
    expect(after).toMatchObject(expected);
  });

  it('stays open for as long as the provider asked', () => {
    const after = afterCall(failing(4), 'silent', id(6), NOW, 0, 90_000);
    assert.deepEqual(after.probeAt, plusMs(NOW, 90_000));
  });

  it('remembers a bounded number of operations', () => {
    let circuit = open();
    for (const one of ids) circuit = afterCall(circuit, 'silent', one, NOW, 0);
    assert.equal(circuit.failing.length, SILENT_OPERATIONS_MAX);
  });
});

it.each([
  [null, 'silent'],
  [500, 'silent'],
  [503, 'silent'],
  [200, 'answered'],
  [302, 'answered'],
  [404, 'answered'],
  [422, 'answered'],
  [429, 'answered'],
] as const)('status %s is taken for %s', (status, sign) => {
  assert.equal(signOf(status), sign);
});

it.each<[string, Circuit, number, string]>([
  ['closed', CLOSED, 0, 'pass'],
  ['open, too early', open(), 9_999, 'hold'],
  ['open, its time has come', open(), 10_000, 'probe'],
  ['half open, a call is under way', halfOpen(), 39_999, 'hold'],
  ['half open, its worker is lost', halfOpen(), 40_000, 'probe'],
])('%s', (_case, circuit, afterMs, expected) => {
  assert.equal(passage(circuit, plusMs(NOW, afterMs)), expected);
});

it('stays open longer each time, up to five minutes, and is spread to half of that', () => {
  assert.deepEqual(
    [1, 2, 3, 6, 50].map((trips) => openMs(trips, 1)),
    [10_000, 20_000, 40_000, 300_000, 300_000],
  );
  assert.equal(openMs(1, 0), 5_000);
});

it('lets deletes look again after creations', () => {
  const latestCreation = lookAgainAt(open(), false, NOW, 1);
  const earliestDelete = lookAgainAt(open(), true, NOW, 0);
  assert.ok(latestCreation <= earliestDelete);
  assert.ok(lookAgainAt(open(), false, NOW, 0) >= plusMs(NOW, 10_000));
  assert.ok(lookAgainAt(halfOpen(), false, NOW, 1) < plusMs(NOW, 10_000));
});
