import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import { exists } from './environment.js';
import { removeEngine, startPostgres, startRedis } from './index.js';
import { SYSTEM_DATA } from './place.js';
import { Workbench } from './spec-support.js';

describe('removeEngine', () => {
  const bench = new Workbench();
  afterEach(() => bench.clear());

  it('refuses a running engine, and leaves nothing of a stopped one, wherever its data was', async () => {
    const home = await bench.home(0o700);
    const postgres = await startPostgres({ home, name: 'one', unsafeFast: true });
    const redis = await startRedis({ home, name: 'two' });
    try {
      await assert.rejects(removeEngine({ home, kind: 'postgres', name: 'one' }), /in use; stop its engine/);
      await assert.rejects(removeEngine({ home, kind: 'redis', name: 'two' }), /in use; stop its engine/);
    } finally {
      await postgres.stop();
      await redis.stop();
    }
    const elsewhere = postgres.dataFolder.startsWith(SYSTEM_DATA);
    const system = elsewhere
      ? join(SYSTEM_DATA, (await readFile(join(home, 'engines/id'), 'utf8')).trim())
      : null;

    await removeEngine({ home, kind: 'postgres', name: 'one' });
    assert.equal(await exists(dirname(postgres.dataFolder)), false);
    await removeEngine({ home, kind: 'redis', name: 'two' });
    for (const kind of ['postgres', 'redis'])
      assert.deepEqual(await readdir(join(home, 'engines', kind)), []);
    if (system !== null) assert.equal(await exists(system), false);
    // Removing what is not there is nothing.
    await removeEngine({ home, kind: 'redis', name: 'two' });
  });
});
