import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import {
  applyOwnChange,
  CONFIG_BYTES_MAX,
  describeOwnChange,
  EMPTY_ENVIRONMENT,
  flatten,
  parseConfigChange,
  replaceAddonVars,
} from './environment.js';

const names = fc.constantFrom('A', 'B', 'C', 'D');
const change = fc.dictionary(names, fc.option(fc.string({ maxLength: 5 }), { nil: null }));

describe('a change of own config vars', () => {
  it('gives what setting and unsetting one by one would give, and names exactly what differs', () => {
    fc.assert(
      fc.property(fc.dictionary(names, fc.string({ maxLength: 5 })), change, (own, wanted) => {
        const before = { own: { ...own }, addons: {} };
        const { after, changes } = applyOwnChange(before, parseConfigChange(wanted));
        const expected = { ...own };
        for (const [name, value] of Object.entries(wanted))
          if (value === null) delete expected[name];
          else expected[name] = value;
        assert.deepEqual({ ...after.own }, { ...expected });
        assert.deepEqual(before.own, { ...own });
        const differing = ['A', 'B', 'C', 'D'].filter((name) => own[name] !== expected[name]);
        assert.deepEqual([...changes.set, ...changes.unset].sort(), differing);
      }),
    );
  });

  it('is refused when all vars together grow too large, counted in bytes with their names', () => {
    const fits = parseConfigChange({ A: 'é'.repeat((CONFIG_BYTES_MAX - 2) / 2), B: '' });
    applyOwnChange(EMPTY_ENVIRONMENT, fits);
    const over = parseConfigChange({ A: 'é'.repeat((CONFIG_BYTES_MAX - 2) / 2), B: 'x' });
    assert.throws(() => applyOwnChange(EMPTY_ENVIRONMENT, over), { id: 'config_too_large' });
  });

  it.each([
    [{ set: ['A'], unset: [] }, 'Set A config var'],
    [{ set: ['A', 'B'], unset: [] }, 'Set A, B config vars'],
    [{ set: [], unset: ['A'] }, 'Remove A config var'],
    [{ set: ['A'], unset: ['B'] }, 'Set A and remove B config vars'],
  ])('%j is described as "%s"', (changes, text) => {
    assert.equal(describeOwnChange(changes), text);
  });
});

it("add-ons' vars are replaced as a whole, and stand above the app's own", () => {
  const before = { own: { A: 'mine' }, addons: { X_URL: '1', Y_URL: '2' } };
  const { after, changes } = replaceAddonVars(before, { Y_URL: '2', Z_URL: '3' });
  assert.deepEqual(flatten(after), { A: 'mine', Y_URL: '2', Z_URL: '3' });
  assert.deepEqual(changes, { set: ['Z_URL'], unset: ['X_URL'] });
});
