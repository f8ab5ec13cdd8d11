import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { parseListingPage } from './listing.js';

const page = (body: unknown, status = 200) => parseListingPage({ kind: 'answered', status, body });

describe('parseListingPage', () => {
  it('reads what a provider lists, and leaves out what it deletes already', () => {
    assert.deepEqual(
      page({
        resources: [
          { id: 7, uuid: 'u-7', plan: 'mini', state: 'ready' },
          { id: 'x' },
          { id: 'y', state: 'deleting' },
        ],
        next: '12',
      }),
      {
        resources: [
          { id: '7', uuid: 'u-7', plan: 'mini' },
          { id: 'x', uuid: null, plan: null },
        ],
        next: '12',
      },
    );
    assert.deepEqual(page({ resources: [] }), { resources: [], next: null });
    assert.deepEqual(page({ resources: [], next: null }), { resources: [], next: null });
  });

  it.each([
    ['no object', []],
    ['no list', { resources: {} }],
    ['a resource that is none', { resources: [null] }],
    ['a resource without an id', { resources: [{ uuid: 'u' }] }],
    ['an empty id', { resources: [{ id: '' }] }],
    ['a zero byte', { resources: [{ id: 'a\0' }] }],
    ['a cursor that is no text', { resources: [], next: 3 }],
    ['an empty cursor', { resources: [], next: '' }],
    ['a cursor without end', { resources: [], next: 'x'.repeat(501) }],
  ])('refuses a page with %s', (_case, body) => {
    assert.equal(page(body), null);
  });

  it('refuses everything but a 200', () => {
    assert.equal(page({ resources: [] }, 500), null);
    assert.equal(page({ resources: [] }, 404), null);
    assert.equal(parseListingPage({ kind: 'unanswered', why: 'reset' }), null);
  });
});
