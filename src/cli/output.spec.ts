import assert from 'node:assert/strict';
import { it } from 'vitest';
import { localTime, mask, table } from './output.js';

it.each([
  ['postgres://user:pass@localhost:5432/db', 'postgres://•••:•••@localhost:5432/•••'],
  ['plain-secret', '••••••••'],
  ['', '••••••••'],
  ['https://open.test/path', '••••••••'],
])('%s is masked', (value, masked) => {
  assert.equal(mask(value), masked);
});

it('tables have a head, aligned columns and no trailing blanks', () => {
  assert.equal(
    table(
      ['A', 'LONG'],
      [
        ['xyz', '1'],
        ['x', '2'],
      ],
    ),
    'A    LONG\nxyz  1\nx    2',
  );
});

it('times are shown in the zone of the person', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Asia/Tokyo';
  try {
    assert.match(localTime('2026-01-01T00:00:00Z'), /9:00/);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
  assert.equal(localTime(null), '');
});
