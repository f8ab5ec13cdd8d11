import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import {
  type Command,
  EngineUnavailable,
  findPgClient,
  type PostgresCluster,
  startPostgres,
} from './index.js';
import { run } from './processes.js';
import { withEnvironment, Workbench } from './spec-support.js';

describe('findPgClient', () => {
  const bench = new Workbench();
  const started: PostgresCluster[] = [];
  afterEach(async () => {
    for (const cluster of started.splice(0)) await cluster.stop();
    await bench.clear();
  });

  /** Runs a tool against the cluster and gives its output. */
  async function use(cluster: PostgresCluster, tool: Command, args: string[]): Promise<string> {
    const { port, username, password } = new URL(cluster.adminUrl);
    const { code, stdout, stderr } = await run(tool.command, [...tool.args, ...args], {
      env: { ...tool.env, PGHOST: cluster.host, PGPORT: port, PGUSER: username, PGPASSWORD: password },
      timeoutMs: 60_000,
    });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  it('gives tools that dump, restore and copy the embedded server', async () => {
    const home = await bench.home(0o755);
    const cluster = await startPostgres({ home, name: 'main', unsafeFast: true });
    started.push(cluster);
    const client = await findPgClient({ home });
    assert.ok(Number.parseInt(client.version, 10) >= Number.parseInt(cluster.version, 10));

    const file = join(home, 'dump');
    await use(cluster, client.psql, ['-c', 'CREATE TABLE seen AS SELECT generate_series(1, 1000) AS number']);
    await use(cluster, client.pgDump, ['-Fc', '-f', file, 'postgres']);
    await use(cluster, client.psql, ['-c', 'CREATE DATABASE restored']);
    await use(cluster, client.pgRestore, ['-d', 'restored', file]);
    const sum = await use(cluster, client.psql, ['-d', 'restored', '-Atc', 'SELECT sum(number) FROM seen']);
    assert.equal(sum, '500500');
    // The default checkpoint takes minutes, on purpose.
    await use(cluster, client.pgBasebackup, ['-D', join(home, 'copy'), '--checkpoint=fast']);
  });

  it('says how to get them when they are switched off', async () => {
    const home = await bench.home(0o755);
    const attempt = withEnvironment({ SOUK_ENGINES_DISABLE: 'valkey,pg-client' }, () =>
      findPgClient({ home }),
    );
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof EngineUnavailable);
      assert.equal(error.missing.fix, 'Take pg-client out of SOUK_ENGINES_DISABLE.');
      return true;
    });
  });
});
