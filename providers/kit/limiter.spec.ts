import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ProviderError } from './errors.js';
import { Limiter } from './limiter.js';

describe('Limiter', () => {
  it('runs so many at once, in the order in which they came, whatever fails', async () => {
    const limiter = new Limiter(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      [0, 1, 2, 3, 4, 5].map((i) =>
        limiter.run(async () => {
          order.push(i);
          running += 1;
          most = Math.max(most, running);
          await new Promise((next) => setImmediate(next));
          running -= 1;
          if (i % 2 === 0) throw new Error(`${i}`);
          return i;
        }),
      ),
    );
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    assert.equal(most, 2);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    );
  });

  it('refuses who waited too long, and keeps its place for the others', async () => {
    const limiter = new Limiter(1, 20);
    let free: () => void = () => undefined;
    const first = limiter.run(() => new Promise<void>((resolve) => (free = resolve)));
    await assert.rejects(
      limiter.run(async () => undefined),
      (error) => error instanceof ProviderError && error.status === 503,
    );
    const third = limiter.run(async () => 'third');
    free();
    await first;
    assert.equal(await third, 'third');
    assert.equal(await limiter.run(async () => 'fourth'), 'fourth');
  });
});
