import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { Pace, waitMs } from './pace.js';

const GB = 1_000_000_000;

describe('waitMs', () => {
  const cases: [string, number, number, number, number][] = [
    ['a second, where even the fastest writer needs longer', 0, 10 * GB, 0, 1_000],
    ['as long as the fastest writer needs', 0.5 * GB, GB, 0, 500],
    ['not too often, where nothing much grows', 0.99 * GB, GB, 0, 250],
    ['often, where it grows fast near the limit', 0.99 * GB, GB, 50_000, 100],
    ['a second again, once it is over', 1.1 * GB, GB, 50_000, 1_000],
  ];
  it.each(cases)('waits %s', (_, bytes, limit, grown, expected) => {
    assert.equal(waitMs(bytes, limit, grown), expected);
  });
});

describe('Pace', () => {
  it('looks at once at what was not in use, and keeps a use in mind until its look is due', () => {
    const pace = new Pace();
    pace.note(['a']);
    assert.deepEqual(pace.takeDue(0), ['a']);
    pace.looked('a', 0.5 * GB, GB, 0);
    assert.deepEqual(pace.takeDue(600), []);
    pace.note(['a', 'b']);
    assert.deepEqual(pace.takeDue(400), ['b']);
    assert.deepEqual(pace.takeDue(500), ['a']);
    assert.deepEqual(pace.takeDue(10_000), []);
  });
});
