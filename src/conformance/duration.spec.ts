import assert from 'node:assert/strict';
import { it } from 'vitest';
import { durationMs } from './duration.js';

it.each([
  ['+8h', 28_800_000],
  ['90m', 5_400_000],
  ['1d12h', 129_600_000],
  [' +30s ', 30_000],
])('%s is %i ms', (text, ms) => {
  assert.equal(durationMs(text), ms);
});

it.each(['', '+', '8', '-8h', '8w', '+0h', '8h later', '1.5h', '999999999d'])(
  '"%s" is no duration',
  (text) => {
    assert.equal(durationMs(text), null);
  },
);
