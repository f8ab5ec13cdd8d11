import assert from 'node:assert/strict';
import { it } from 'vitest';
import { Clock } from '../kernel/clock.js';
import { chooseRules, unmetNeed } from './choose-rules.js';
import { allRules } from './rules/index.js';

const RULES = allRules(new Clock());

it('every rule has an id of its own, words for people, and needs that stand before it', () => {
  assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
  for (const [index, rule] of RULES.entries()) {
    assert.match(rule.id, /^[a-z]+(-[a-z]+)*$/);
    for (const text of [rule.title, rule.source, rule.mend]) assert.ok(text.length >= 8, rule.id);
    for (const need of rule.needs ?? [])
      assert.ok(
        RULES.slice(0, index).some(({ id }) => id === need),
        `${rule.id} needs ${need}`,
      );
  }
});

it('chooses what is asked for with all that it rests on', () => {
  assert.deepEqual(
    chooseRules(RULES, ['deprovision-repeat']).map(({ id }) => id),
    [
      'provision-status',
      'provision-json',
      'provision-id',
      'async-callback',
      'deprovision',
      'deprovision-repeat',
    ],
  );
  assert.equal(chooseRules(RULES, []), RULES);
  assert.throws(() => chooseRules(RULES, ['deprovision', 'nonsense']), /There is no rule nonsense\./);
});

it('finds the need that does not hold: a failure does not, a skip for want of the feature does', () => {
  const [rule] = chooseRules(RULES, ['deprovision-repeat']).slice(-1);
  assert.ok(rule);
  const result = (id: string, verdict: 'pass' | 'fail' | 'skip') => ({
    id,
    verdict,
    title: '',
    source: '',
    reason: null,
    warnings: [],
    exchanges: [],
    mend: null,
    durationMs: 0,
  });
  assert.equal(
    unmetNeed(rule, RULES, [result('async-callback', 'skip'), result('deprovision', 'pass')]),
    null,
  );
  assert.equal(unmetNeed(rule, RULES, [result('deprovision', 'fail')]), 'deprovision');
  // What its need rests on counts, too.
  const late = RULES.find(({ id }) => id === 'reordered-delivery');
  assert.ok(late);
  assert.equal(unmetNeed(late, RULES, [result('repeat-same-id', 'fail')]), 'slow-body');
});
