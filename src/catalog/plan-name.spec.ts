import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { partsOfPlanName } from './catalog.entity.js';

describe('partsOfPlanName', () => {
  const cases: [string, string, string | null][] = [
    ['pg', 'pg', null],
    ['pg:mini', 'pg', 'mini'],
    ['pg:', 'pg', ''],
    [':mini', '', 'mini'],
    // What comes after a second colon is not thrown away, or a typing error would change to another plan.
    ['pg:mini:std', 'pg', 'mini:std'],
  ];
  it.each(cases)('takes %s apart', (typed, service, slug) => {
    assert.deepEqual(partsOfPlanName(typed), { service, slug });
  });
});
