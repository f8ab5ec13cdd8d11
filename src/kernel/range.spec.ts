import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { parseRange } from './range.js';

const fields = ['name', 'id'] as const;
const WHOLE = { field: 'name', start: null, exclusive: false, end: null, order: 'asc', max: 200 };

describe('parseRange', () => {
  it.each([
    [undefined, WHOLE],
    ['', WHOLE],
    ['name ..', WHOLE],
    ['id ..', { ...WHOLE, field: 'id' }],
    ['name a..', { ...WHOLE, start: 'a' }],
    ['name ]a..', { ...WHOLE, start: 'a', exclusive: true }],
    ['name ]a..b; max=10', { ...WHOLE, start: 'a', exclusive: true, end: 'b', max: 10 }],
    ['name a..c', { ...WHOLE, start: 'a', end: 'c' }],
    ['name ..c%20d', { ...WHOLE, end: 'c d' }],
    ['name ..; order=desc,max=5;', { ...WHOLE, order: 'desc', max: 5 }],
    ['name ..; max=5, order=desc', { ...WHOLE, order: 'desc', max: 5 }],
    ['name ..; max=1', { ...WHOLE, max: 1 }],
    ['name ..; max=1000;', { ...WHOLE, max: 1_000 }],
    ['name ..; colour=red', WHOLE],
    ['name ]a%20b..', { ...WHOLE, start: 'a b', exclusive: true }],
  ])('reads %j', (header, range) => {
    assert.deepEqual(parseRange(header, fields), range);
  });

  it.each([
    'colour ..',
    'name',
    'name a',
    '..',
    'name ]%zz..',
    'name ..%zz',
    'name ..; max=0',
    'name ..; max=-1',
    'name ..; max=abc',
    'name ..; max=',
    'name ..; max=1.5',
    'name ..; max=1001',
    'name ..; max=99999999999999999999',
    'name ..; order=up',
  ])('refuses %j', (header) => {
    assert.throws(() => parseRange(header, fields), { id: 'invalid_range' });
  });

  it('reads back every start that a Next-Range can carry', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (start) => {
        const range = parseRange(`name ]${encodeURIComponent(start)}..; max=3`, fields);
        assert.equal(range.start, start);
      }),
    );
  });

  it('never fails on a header but by refusing it', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        try {
          parseRange(header, fields);
        } catch (error) {
          assert.equal((error as { id?: string }).id, 'invalid_range');
        }
      }),
    );
  });
});
