import assert from 'node:assert/strict';
import { it } from 'vitest';
import { parseParams } from './action-params.js';

const SCHEMA = {
  properties: {
    label: { type: 'string' },
    keep: { type: 'integer' },
    dry: { type: 'boolean' },
    tags: { type: 'array' },
  },
};

it('params are read as the schema means them', () => {
  assert.deepEqual(parseParams(['label=a=b', 'keep=3', 'dry=true', 'tags=["x"]', 'other=7'], SCHEMA), {
    label: 'a=b',
    keep: 3,
    dry: true,
    tags: ['x'],
    other: '7',
  });
  assert.deepEqual(parseParams([], {}), {});
});

it.each([
  ['label', /NAME=VALUE/],
  ['=x', /NAME=VALUE/],
  ['keep=', /keep must be a number/],
  ['keep=many', /keep must be a number/],
  ['dry=yes', /dry must be true or false/],
  ['tags=x', /tags must be JSON/],
])('%s is refused', (text, expected) => {
  assert.throws(() => parseParams([text], SCHEMA), expected);
});
