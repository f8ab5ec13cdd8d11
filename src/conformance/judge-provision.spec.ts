import assert from 'node:assert/strict';
import { it } from 'vitest';
import type { Reply } from './exchange.js';
import { faultOfConfigNames, faultOfConfigShape, faultOfConfigUrls, idIn } from './judge-provision.js';

const answer = (json: unknown): Reply => ({
  kind: 'answered',
  status: 200,
  text: '',
  json,
  retryAfterSeconds: null,
});

it.each([
  [{ id: 'a-1' }, 'a-1'],
  [{ id: 1 }, '1'],
  [{ id: '' }, null],
  [{ id: null }, null],
  [{ id: {} }, null],
  [{ id: 'x'.repeat(256) }, null],
  [{ id: '..' }, null],
  [{ id: 'a\nb' }, null],
  [{ id: '\ud800' }, null],
  [['id'], null],
  ['id', null],
  [undefined, null],
])('reads the id in %j', (json, id) => {
  assert.equal(idIn(answer(json)), id);
});

it('finds no id where nothing was answered', () => {
  assert.equal(idIn({ kind: 'unanswered', why: 'reset' }), null);
});

it('says what is wrong with config vars', () => {
  assert.equal(faultOfConfigShape({ A_URL: 'x' }), null);
  assert.match(faultOfConfigShape('A=1') ?? '', /must be an object/);
  assert.match(faultOfConfigShape({ A: 1, B: null, C: [] }) ?? '', /A \(number\), B \(null\), C \(list\)/);
  assert.equal(faultOfConfigNames({ A: '1' }, ['A']), null);
  assert.match(faultOfConfigNames({ A: '1', B: '2' }, ['A']) ?? '', /not in api\.config_vars: B\./);
});

it.each([
  ['postgres://user:pass@host:5432/name', true],
  ['https://host', true],
  ['redis://localhost', true],
  ['localhost:5432/name', false],
  ['host', false],
  ['https:///path', false],
  ['', false],
])('takes %j for a URL: %j', (value, isUrl) => {
  assert.equal(faultOfConfigUrls({ A_URL: value }) === null, isUrl);
  assert.equal(faultOfConfigUrls({ A_HOST: value }), null);
});
