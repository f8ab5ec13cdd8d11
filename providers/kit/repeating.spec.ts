import assert from 'node:assert/strict';
import { pino } from 'pino';
import { describe, it } from 'vitest';
import { crashPointsFromEnv } from './crash-points.js';
import { retryDelayMs } from './notice-relay.js';
import { Repeating } from './repeating.js';

const log = pino({ level: 'silent' });

describe('Repeating', () => {
  it('goes on after a failed round, and never runs twice at once', async () => {
    let rounds = 0;
    let running = 0;
    let most = 0;
    await new Promise<void>((resolve) => {
      const repeating = new Repeating(
        'test',
        1,
        async () => {
          rounds += 1;
          running += 1;
          most = Math.max(most, running);
          await new Promise((next) => setImmediate(next));
          running -= 1;
          repeating.wake();
          if (rounds === 5) resolve();
          if (rounds % 2 === 1) throw new Error('an odd round');
        },
        log,
      );
      repeating.start();
    });
    assert.ok(rounds >= 5);
    assert.equal(most, 1);
  });

  it('begins a round at once when it is woken, and none after it was stopped', async () => {
    let rounds = 0;
    let ran: () => void = () => undefined;
    const next = () => new Promise<void>((resolve) => (ran = resolve));
    const repeating = new Repeating(
      'test',
      3_600_000,
      async () => {
        rounds += 1;
        ran();
      },
      log,
    );
    const first = next();
    repeating.start();
    await first;
    await new Promise((settled) => setImmediate(settled));
    const second = next();
    repeating.wake();
    await second;
    await repeating.stop();
    repeating.wake();
    await new Promise((settled) => setImmediate(settled));
    assert.equal(rounds, 2);
  });
});

describe('retryDelayMs', () => {
  it('doubles up to five minutes', () => {
    assert.deepEqual(
      [0, 1, 2, 9, 10, 40, 2_000].map(retryDelayMs),
      [500, 1_000, 2_000, 256_000, 300_000, 300_000, 300_000],
    );
  });
});

describe('crashPointsFromEnv', () => {
  it('does nothing where no point is named, and at every other point', () => {
    crashPointsFromEnv(undefined).reach('anywhere');
    crashPointsFromEnv('').reach('anywhere');
    const points = crashPointsFromEnv('there#2');
    points.reach('here');
    points.reach('there');
  });
});
