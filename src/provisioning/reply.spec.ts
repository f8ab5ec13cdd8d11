import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { messageOf, parseProvisionAnswer, providerIdOf } from './reply.js';

const declared = ['PG_URL'];

describe('parseProvisionAnswer', () => {
  it.each([
    [{ id: 'x' }, { providerId: 'x', config: {}, message: undefined }],
    [
      { id: 7, config: null, message: null },
      { providerId: '7', config: {}, message: null },
    ],
    [
      { id: 'x', config: { PG_URL: 'u' }, message: 'hi' },
      { providerId: 'x', config: { PG_URL: 'u' }, message: 'hi' },
    ],
  ])('takes %j', (body, answer) => {
    assert.deepEqual(parseProvisionAnswer(body, declared), answer);
  });

  it.each([
    null,
    'ok',
    '',
    [],
    {},
    { id: '' },
    { id: null },
    { id: {} },
    { id: 'a\u0000' },
    { id: '.' },
    { id: '..' },
    { id: 'a\ud800' },
    { id: 'x'.repeat(256) },
    { id: 'x', config: 'y' },
    { id: 'x', config: [] },
    { id: 'x', config: { OTHER: 'y' } },
    { id: 'x', config: { PG_URL: 1 } },
    { id: 'x', config: { PG_URL: 'a\u0000' } },
  ])('takes %j for no answer', (body) => {
    assert.equal(parseProvisionAnswer(body, declared), null);
  });

  it('finds the id also where the rest is no answer', () => {
    assert.equal(providerIdOf({ id: 'x', config: { OTHER: 'y' } }), 'x');
    assert.equal(providerIdOf({ id: 7 }), '7');
    for (const id of ['...', '../x', 'a/b', '%2e%2e', '😀']) assert.equal(providerIdOf({ id }), id);
    for (const body of [null, 'x', [], {}, { id: '' }]) assert.equal(providerIdOf(body), null);
  });

  it('finds the message of a refusal, if it has one', () => {
    assert.equal(messageOf({ message: 'No.' }), 'No.');
    for (const body of [null, 'No.', [], {}]) assert.ok(messageOf(body) == null);
  });
});
