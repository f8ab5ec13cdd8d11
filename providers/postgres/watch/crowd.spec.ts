import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { chooseOccupants, type Occupant } from './crowd.js';

describe('chooseOccupants', () => {
  /** One letter each: a database, in capitals while it works; the later, the younger. */
  const crowd = (text: string): Occupant[] =>
    [...text].map((letter, index) => ({
      pid: index,
      database: letter.toLowerCase(),
      idle: letter === letter.toLowerCase(),
      sinceMs: index,
    }));
  const cases: [string, string, number, number[]][] = [
    ['nobody where nobody has to go', 'aaaab', 0, []],
    ['from the largest, the longest idle first', 'aaaabb', 2, [0, 1]],
    ['the idle before those who work', 'AaAab', 2, [1, 3]],
    ['those who work where no one idles', 'AAAAb', 1, [0]],
    ['from the next one once both are alike', 'aaaabbbc', 3, [0, 1, 4]],
    ['nobody of those who have two or fewer', 'aabbc', 3, []],
  ];
  it.each(cases)('ends %s', (_, text, places, ended) => {
    assert.deepEqual(
      chooseOccupants(crowd(text), places).map(({ pid }) => pid),
      ended,
    );
  });
});
