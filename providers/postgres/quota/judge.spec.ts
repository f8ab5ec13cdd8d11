import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { judgeLevel, type Level } from './judge.js';

describe('judgeLevel', () => {
  const cases: [Level, number, Level][] = [
    ['fine', 0, 'fine'],
    ['fine', 899, 'fine'],
    ['fine', 900, 'warned'],
    ['fine', 1000, 'warned'],
    ['fine', 1001, 'stopped'],
    ['warned', 1001, 'stopped'],
    ['warned', 900, 'warned'],
    ['warned', 880, 'warned'],
    ['warned', 879, 'fine'],
    ['stopped', 1001, 'stopped'],
    ['stopped', 1000, 'warned'],
    ['stopped', 899, 'fine'],
  ];
  it.each(cases)('from %s at %i of 1000 to %s', (before, bytes, after) => {
    assert.equal(judgeLevel(before, bytes, 1000), after);
  });
});
