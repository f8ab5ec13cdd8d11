import assert from 'node:assert/strict';
import { it } from 'vitest';
import type { Addon } from '../addons/addon.entity.js';
import { newId } from '../kernel/ids.js';
import type { Pause } from './gate.entity.js';
import type { Operation } from './operation.entity.js';
import { waitingNotice } from './waiting-notice.js';

const AT = new Date('2026-03-01T12:00:00Z');
const PROVIDER = newId();
const addon = {
  id: newId(),
  region: 'us',
  removedAt: null,
  plan: { addonService: { providerId: PROVIDER } },
} as Addon;
const pause = (scope: Pause['scope'], target: string): Pause => ({
  id: newId(),
  scope,
  target,
  targetName: scope === 'provider' ? 'pg' : target,
  reason: 'new disks',
  pausedBy: 'op@souk.test',
  createdAt: AT,
  resumedBy: null,
  resumedAt: null,
});
type Waiting = Pick<Operation, 'type' | 'state' | 'heldBy' | 'nextAttemptAt' | 'updatedAt'>;
const operation = (also: Partial<Waiting>): Waiting => ({
  type: 'provision',
  state: 'queued',
  heldBy: null,
  nextAttemptAt: AT,
  updatedAt: AT,
  ...also,
});

it.each<[string, Addon, Waiting | null, Pause[], string | null]>([
  ['nothing to tell', addon, null, [], null],
  ['an operation that goes on', addon, operation({ state: 'calling' }), [], null],
  ['a pause elsewhere', addon, null, [pause('region', 'eu'), pause('plan', 'x')], null],
  ['an add-on that is gone', { ...addon, removedAt: AT }, null, [pause('provider', PROVIDER)], null],
  [
    'a plan change that is taken back',
    addon,
    operation({ type: 'plan_change', state: 'reverting' }),
    [],
    'warning: The plan could not be changed; the add-on keeps the one that it had. Other changes wait until the provider has confirmed that; trying again at 2026-03-01T12:00:00Z.',
  ],
  [
    'a pause, nothing running',
    addon,
    null,
    [pause('provider', PROVIDER)],
    'info: pg is paused by the operator: new disks. The add-on stays as it is; changes of it wait.',
  ],
  [
    'a pause of the region, a creation waits',
    addon,
    operation({ heldBy: 'paused' }),
    [pause('region', 'us')],
    'warning: The region us is paused by the operator: new disks. What was asked for waits, and goes on by itself when that ends.',
  ],
  [
    'a pause, a delete waits',
    addon,
    operation({ type: 'deprovision' }),
    [pause('provider', PROVIDER)],
    'warning: pg is paused by the operator: new disks. The provider is told of the deletion when that ends.',
  ],
  [
    'an open circuit',
    addon,
    operation({ heldBy: 'circuit' }),
    [],
    'warning: The provider does not answer at the moment; trying again at 2026-03-01T12:00:00Z.',
  ],
  [
    'a call without a verdict',
    addon,
    operation({ state: 'unsure' }),
    [],
    'warning: The provider has given no usable answer yet; trying again at 2026-03-01T12:00:00Z.',
  ],
])('%s', (_case, of, running, pauses, expected) => {
  const notice = waitingNotice(of, running, pauses);
  assert.equal(notice === null ? null : `${notice.severity}: ${notice.message}`, expected);
});
