import assert from 'node:assert/strict';
import { it } from 'vitest';
import { Mask } from './exchange.js';

it('hides what it was told, in every form in which it may stand', () => {
  const mask = new Mask();
  mask.hide('se"cret/1', 'abcd', 'abcdef', 'x', undefined, 5);
  assert.equal(mask.show('{"a":"se\\"cret/1"} se%22cret%2F1 abcdef abcd x'), '{"a":"•••"} ••• ••• ••• x');
});

it('hides credentials in addresses that it was never told', () => {
  assert.equal(new Mask().show('use postgres://user:pass@host/db'), 'use postgres://•••@host/db');
});

it('makes harmless what a terminal would obey, and bounds it', () => {
  assert.equal(new Mask().show('a\u001b[2J\r\nb\u202ec\u200bd'), 'a [2J b c d');
  assert.equal(new Mask().show('x'.repeat(1_000)).length, 401);
});

it('shows an exchange', () => {
  const mask = new Mask();
  mask.hide('token-1');
  assert.deepEqual(
    mask.showExchange({
      request: { method: 'DELETE', url: 'http://127.0.0.1:1/r/7', headers: {}, body: null },
      reply: { kind: 'answered', status: 200, text: ' ', json: undefined, retryAfterSeconds: null },
    }),
    { sent: 'DELETE http://127.0.0.1:1/r/7, no credentials', received: '200 (no body)' },
  );
  assert.deepEqual(
    mask.showExchange({
      request: {
        method: 'POST',
        url: 'http://127.0.0.1:1/r',
        headers: { authorization: 'Basic x' },
        body: '{"code":"token-1"}',
      },
      reply: { kind: 'unanswered', why: 'ECONNRESET' },
    }),
    { sent: 'POST http://127.0.0.1:1/r {"code":"•••"}', received: 'no answer: ECONNRESET' },
  );
});
