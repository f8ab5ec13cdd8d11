import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import { type EngineReport, EngineUnavailable, findPgClient, startRedis, surveyEngines } from './index.js';
import { exists } from './environment.js';
import { withEnvironment, Workbench } from './spec-support.js';

describe('surveyEngines', () => {
  const bench = new Workbench();
  afterEach(() => bench.clear());

  function find(reports: EngineReport[], engine: string): EngineReport {
    const report = reports.find((entry) => entry.engine === engine);
    assert.ok(report);
    return report;
  }

  it('says where each engine comes from, in a fixed order', async () => {
    const home = await bench.home(0o700);
    const client = await findPgClient({ home });
    const server = await startRedis({ home, name: 'main' });
    try {
      const reports = await surveyEngines(home);
      assert.deepEqual(
        reports.map(({ engine, available }) => [engine, available]),
        [
          ['postgresql', true],
          ['valkey', true],
          ['pg-client', true],
        ],
      );
      assert.equal(find(reports, 'valkey').version, server.version);
      assert.equal(find(reports, 'pg-client').version, client.version);
      for (const { where } of reports) assert.ok(where);
    } finally {
      await server.stop();
    }
  });

  it('leaves everything as it was, and does not take what could be fetched for what is there', async () => {
    const home = await bench.home(0o700);
    const cache = join(await bench.home(0o755), 'cache');
    const reports = await withEnvironment({ SOUK_ENGINE_CACHE: cache }, () => surveyEngines(home));
    assert.equal(await exists(cache), false);
    assert.deepEqual(await readdir(home), []);
    for (const { available, version, where, missing } of reports) {
      // Here already (with its version), to be fetched, or missing by name.
      if (version === undefined && available) assert.equal(where, 'can be fetched from Debian');
      if (!available) assert.ok(missing?.why && missing.fix);
    }
  });

  it('tells what is switched off as the start would', async () => {
    const home = await bench.home(0o700);
    await withEnvironment({ SOUK_ENGINES_DISABLE: 'valkey,pg-client' }, async () => {
      const reports = await surveyEngines(home);
      assert.equal(find(reports, 'postgresql').available, true);
      for (const engine of ['valkey', 'pg-client']) {
        const start = engine === 'valkey' ? startRedis({ home, name: 'main' }) : findPgClient({ home });
        await assert.rejects(start, (error) => {
          assert.ok(error instanceof EngineUnavailable);
          assert.deepEqual(find(reports, engine), { engine, available: false, missing: error.missing });
          return true;
        });
      }
    });
  });

  it('tells a server that does not run as the start would', async () => {
    const home = await bench.home(0o700);
    await withEnvironment({ REDIS_SERVER_BIN: '/nowhere/redis' }, async () => {
      const { available, missing } = find(await surveyEngines(home), 'valkey');
      assert.equal(available, false);
      assert.match(missing?.why ?? '', /\/nowhere\/redis/);
    });
  });
});
