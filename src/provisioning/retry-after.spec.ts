import assert from 'node:assert/strict';
import { it } from 'vitest';
import { RETRY_AFTER_MAX_MS, retryAfterMs } from './retry-after.js';

const NOW = new Date('2026-03-01T12:00:00Z');

it.each<[number | null, string | undefined, number]>([
  [429, '30', 30_000],
  [503, ' 30 ', 30_000],
  [503, 'Sun, 01 Mar 2026 12:02:00 GMT', 120_000],
  [503, 'Sun, 01 Mar 2026 11:00:00 GMT', 0],
  [503, '9999999999', RETRY_AFTER_MAX_MS],
  [503, 'Mon, 01 Mar 2027 12:00:00 GMT', RETRY_AFTER_MAX_MS],
  [503, '0', 0],
  [503, '-5', 0],
  [503, '1.5', 0],
  [503, '2030', 2_030_000],
  [503, 'soon', 0],
  [503, '', 0],
  [503, 'Sun, 99 Mar 2026 12:00:00 GMT', 0],
  [503, undefined, 0],
  [500, '30', 0],
  [200, '30', 0],
  [422, '30', 0],
  [null, '30', 0],
])('status %s with %j waits %i ms', (status, header, expected) => {
  assert.equal(retryAfterMs(status, header, NOW), expected);
});
