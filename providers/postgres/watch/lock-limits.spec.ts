import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { chooseLockHogs } from './lock-limits.js';

describe('chooseLockHogs', () => {
  const cases: [string, [string, number][], number, number[]][] = [
    [
      'nobody, where nobody holds many',
      [
        ['a', 10_000],
        ['b', 5_000],
      ],
      500_000,
      [],
    ],
    [
      'the session that holds too many alone',
      [
        ['a', 10_001],
        ['a', 4_000],
        ['b', 9_000],
      ],
      500_000,
      [0],
    ],
    [
      'the largest of a database that holds too many together',
      [
        ['a', 9_000],
        ['a', 8_000],
        ['a', 7_000],
        ['b', 9_500],
      ],
      500_000,
      [0],
    ],
    [
      'of many small databases the largest, until half of the table is free',
      [
        ['a', 300],
        ['b', 400],
        ['c', 200],
        ['d', 250],
      ],
      1_000,
      [1, 0],
    ],
    [
      'every session of a crowd that each hold as many as they may',
      Array.from({ length: 20 }, () => ['a', 10_000] as [string, number]),
      500_000,
      Array.from({ length: 18 }, (_, index) => index),
    ],
  ];
  it.each(cases)('ends %s', (_, held, places, ended) => {
    const holders = held.map(([database, locks], pid) => ({ pid, database, locks }));
    const hogs = chooseLockHogs(holders, places).map(({ pid }) => pid);
    assert.deepEqual(hogs, ended);
  });
});
