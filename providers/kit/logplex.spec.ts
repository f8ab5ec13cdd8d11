import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { MalformedFrames, parseLogplex, splitFrames } from './logplex.js';

const LINE = '<190>1 2026-01-31T12:00:00.123456+00:00 host app web.1 - ';
const frame = (text: string) => `${Buffer.byteLength(text)} ${text}`;
const body = (...texts: string[]) => Buffer.from(texts.map(frame).join(''));

describe('parseLogplex', () => {
  it('reads lines whose length is counted in bytes', () => {
    const texts = ['grün 🌱', 'two\nlines', '', '12 <190>1 not a frame', '[a="b"] structured'];
    const messages = parseLogplex(body(...texts.map((text) => `${LINE}${text}\n`)), '5');
    assert.deepEqual(
      messages.map(({ text }) => text),
      texts,
    );
    assert.deepEqual(messages[0], {
      priority: 190,
      timestamp: '2026-01-31T12:00:00.123456+00:00',
      host: 'host',
      app: 'app',
      process: 'web.1',
      text: 'grün 🌱',
    });
  });

  it('takes the report of lost lines for a line', () => {
    const report =
      '<172>1 2026-01-31T12:00:00+00:00 host heroku logplex - Error L10 (output buffer overflow): 7 messages dropped.';
    assert.equal(parseLogplex(body(report), '1')[0]?.process, 'logplex');
  });

  it('takes an empty body, and one without a count', () => {
    assert.deepEqual(parseLogplex(Buffer.alloc(0), '0'), []);
    assert.equal(parseLogplex(body(`${LINE}x`), undefined).length, 1);
  });

  it.each<[string, Buffer, string]>([
    ['another count', body(`${LINE}x`), '2'],
    ['a count that is none', body(`${LINE}x`), '1 '],
    ['a length in characters', Buffer.from(`${LINE.length + 2} ${LINE}grün`), '1'],
    ['a cut message', body(`${LINE}x`).subarray(0, -1), '1'],
    ['no length', Buffer.from(LINE), '1'],
    ['a length of nothing', Buffer.from('0 '), '1'],
    ['an endless length', Buffer.from('99999999999999999999 x'), '1'],
    ['a newline between', Buffer.from(`${frame(`${LINE}x`)}\n${frame(`${LINE}y`)}`), '2'],
    ['what is no syslog line', body('hello'), '1'],
  ])('refuses %s', (_name, bytes, count) => {
    assert.throws(() => parseLogplex(bytes, count), MalformedFrames);
  });

  it('takes no more messages than it may', () => {
    assert.throws(() => splitFrames(body('a', 'b', 'c'), 2), MalformedFrames);
    assert.equal(splitFrames(body('a', 'b'), 2).length, 2);
  });
});
