import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { SeenFrames } from './seen-frames.js';

describe('SeenFrames', () => {
  it('does the work once, also for those that come meanwhile', async () => {
    const seen = new SeenFrames();
    let done = 0;
    const work = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done += 1;
    };
    await Promise.all([seen.once('a', work), seen.once('a', work), seen.once('b', work)]);
    await seen.once('a', work);
    assert.equal(done, 2);
  });

  it('forgets work that failed, and the oldest', async () => {
    const seen = new SeenFrames(2);
    const done: string[] = [];
    const work = (key: string) => () => {
      done.push(key);
      return Promise.resolve();
    };
    await assert.rejects(seen.once('a', () => Promise.reject(new Error('no'))));
    for (const key of ['a', 'b', 'c', 'a', 'c']) await seen.once(key, work(key));
    assert.deepEqual(done, ['a', 'b', 'c', 'a']);
  });
});
