import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import { withLock } from './lock.js';
import { startMark } from './processes.js';
import { killed, Workbench } from './spec-support.js';

describe('withLock', () => {
  const bench = new Workbench();
  afterEach(() => bench.clear());

  async function newLock(): Promise<string> {
    return join(await bench.home(0o700), 'lock');
  }

  /** A lock file as a holder leaves it that never came to release it. */
  async function leave(file: string, holder: object): Promise<void> {
    const ours = { pid: process.pid, mark: await startMark(process.pid), host: hostname(), nonce: 'left' };
    await writeFile(file, JSON.stringify({ ...ours, ...holder }));
  }

  it('lets one in at a time, and leaves nothing behind', async () => {
    const file = await newLock();
    let inside = 0;
    const results = await Promise.all(
      [1, 2, 3, 4, 5].map((number) =>
        withLock(file, 30_000, async () => {
          inside += 1;
          await readFile(file);
          assert.equal(inside, 1);
          inside -= 1;
          return number;
        }),
      ),
    );
    assert.deepEqual(results, [1, 2, 3, 4, 5]);
    assert.deepEqual(await readdir(join(file, '..')), []);
  });

  it('is free again when its work fails', async () => {
    const file = await newLock();
    await assert.rejects(
      withLock(file, 1_000, () => Promise.reject(new Error('no luck'))),
      /no luck/,
    );
    assert.equal(await withLock(file, 1_000, async () => 'in'), 'in');
  });

  it('names who holds it when the wait is over', async () => {
    const file = await newLock();
    await leave(file, {});
    await assert.rejects(
      withLock(file, 200, async () => 'in'),
      new RegExp(`Process ${process.pid} on .* it holds .*lock`),
    );
  });

  it('is taken over from a process that was killed', async () => {
    const file = await newLock();
    const [child] = await bench.otherProcess(`
      import { withLock } from './lock.js';
      await withLock(${JSON.stringify(file)}, 1000, () => new Promise((resolve) => {
        console.log('held');
        setTimeout(resolve, 600000);
      }));
    `);
    await killed(child);
    assert.equal(await withLock(file, 5_000, async () => 'in'), 'in');
  });

  it('is taken over when the process id belongs to another program now', async () => {
    const file = await newLock();
    await leave(file, { mark: 'of another' });
    assert.equal(await withLock(file, 5_000, async () => 'in'), 'in');
  });

  it('is taken over from another host only when that has long been silent', async () => {
    const file = await newLock();
    await leave(file, { host: 'elsewhere' });
    await assert.rejects(
      withLock(file, 200, async () => 'in'),
      /on elsewhere/,
    );
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    assert.equal(await withLock(file, 5_000, async () => 'in'), 'in');
  });

  it('is taken over when a power cut left it empty', async () => {
    const file = await newLock();
    await writeFile(file, '');
    assert.equal(await withLock(file, 5_000, async () => 'in'), 'in');
  });
});
