import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { addonNameOf, neutralise, parseAddonName, parseOptions } from './addon.js';

describe('names of add-ons', () => {
  it('that nobody chose say which service it is, and are valid', () => {
    assert.match(parseAddonName(addonNameOf('souk-postgresql', 'quiet-48213')), /^postgresql-quiet-48213$/);
  });

  it.each(['a', '1a', '-a', 'a b', 'ä1', 'a'.repeat(129), '', 'a722747c-9024-49a5-b884-ee258f2f7902'])(
    '%j is refused',
    (name) => {
      assert.throws(() => parseAddonName(name), { id: 'addon_name_invalid' });
    },
  );
});

describe('options', () => {
  it('reach the provider as texts', () => {
    assert.deepEqual(parseOptions({ version: 17, ha: true, name: 'x' }), {
      version: '17',
      ha: 'true',
      name: 'x',
    });
  });

  it.each([{ a: {} }, { a: [] }, { a: null }, { a: 'x\u0000' }, { a: 'x'.repeat(5_000) }])(
    '%j are refused',
    (options) => {
      assert.throws(() => parseOptions(options), { id: 'options_invalid' });
    },
  );
});

it.each([
  ['Plain words.', 'Plain words.'],
  ['  two\n lines\t', 'two lines'],
  ['<script>alert(1)</script>Hi', 'alert(1) Hi'],
  ['\u001b[31mred\u001b[0m', '[31mred [0m'],
  ['abc\u202edef', 'abc def'],
  ['', null],
  ['\u0000', null],
  [7, null],
  [null, null],
])('a provider’s text %j becomes %j', (text, harmless) => {
  assert.equal(neutralise(text), harmless);
});
