import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { freePort } from '../engines/index.js';
import { providerFolder } from './engine/cluster.js';
import { providerClusterUrl } from './inventory.js';
import { Bench, rowsOf, until } from './spec-support.js';

describe('the port of the shared cluster', () => {
  const bench = new Bench();
  afterAll(() => bench.clear());

  const portOf = async (home: string) => Number(new URL(await providerClusterUrl(home)).port);

  async function occupy(port: number): Promise<Server> {
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    return squatter;
  }

  async function release(squatter: Server): Promise<void> {
    squatter.close();
    await once(squatter, 'close');
  }

  it('may change as long as no URL names it', async () => {
    const home = await bench.home();
    const first = await bench.start({ SOUK_HOME: home });
    const port = await portOf(home);
    await first.stop();
    const squatter = await occupy(port);
    const second = await bench.start({ SOUK_HOME: home });
    const { url } = await second.tenant();
    assert.notEqual(new URL(url).port, String(port));
    await release(squatter);
    await second.stop();
  });

  it('is kept once there is a database: the start is refused while another program has it', async () => {
    const home = await bench.home();
    const first = await bench.start({ SOUK_HOME: home });
    const { url } = await first.tenant();
    const port = Number(new URL(url).port);
    await first.stop();
    const squatter = await occupy(port);
    for (let attempt = 0; attempt < 2; attempt += 1)
      await assert.rejects(
        bench.start({ SOUK_HOME: home }),
        new RegExp(`Port ${port} is taken by another program, and the URLs of all databases`),
      );
    await release(squatter);
    const again = await bench.start({ SOUK_HOME: home });
    assert.equal(await portOf(home), port);
    await rowsOf(url, 'SELECT 1');
    await again.stop();
  });

  it('comes back by itself where a start was cut off after a move', async () => {
    const home = await bench.home();
    const first = await bench.start({ SOUK_HOME: home });
    const { url } = await first.tenant();
    await first.stop();
    const file = join(providerFolder(home), 'engines/postgres/shared/state.json');
    const state = JSON.parse(await readFile(file, 'utf8')) as { port: number };
    await writeFile(file, JSON.stringify({ ...state, port: await freePort() }));
    const again = await bench.start({ SOUK_HOME: home });
    await rowsOf(url, 'SELECT 1');
    await again.stop();
  });

  it('is not guessed where the notes of it cannot be read, and the password beside it is not lost', async () => {
    const home = await bench.home();
    const first = await bench.start({ SOUK_HOME: home });
    await first.tenant();
    await first.stop();
    const state = join(providerFolder(home), 'engines/postgres/shared/state.json');
    const kept = join(providerFolder(home), 'port');
    for (const file of [kept, state]) {
      const text = await readFile(file, 'utf8');
      await writeFile(file, '{"port": 5');
      await assert.rejects(bench.start({ SOUK_HOME: home }), /is damaged/);
      assert.equal(await readFile(file, 'utf8'), '{"port": 5');
      await writeFile(file, text);
    }
    const again = await bench.start({ SOUK_HOME: home });
    await again.stop();
  });

  it('is free again after a start that failed once the cluster was up', async () => {
    const home = await bench.home();
    const first = await bench.start({ SOUK_HOME: home });
    const admin = await providerClusterUrl(home);
    await first.stop();
    await writeFile(join(providerFolder(home), 'master-key'), 'damaged');
    await assert.rejects(bench.start({ SOUK_HOME: home }));
    await assert.rejects(rowsOf(admin, 'SELECT 1'), { code: 'ECONNREFUSED' });
  });

  it('is waited for when it is lost while the provider runs', async () => {
    const home = await bench.home();
    const provider = await bench.start({ SOUK_HOME: home });
    const { url } = await provider.tenant();
    const [row] = await rowsOf<{ folder: string }>(
      await providerClusterUrl(home),
      `SELECT current_setting('data_directory') AS folder`,
    );
    const pid = Number((await readFile(`${row?.folder}/postmaster.pid`, 'utf8')).split('\n')[0]);
    process.kill(pid, 'SIGINT');
    const port = Number(new URL(url).port);
    // Whoever is faster: the server comes back, or this program has its port for a while.
    const squatter = await occupy(port).catch(() => null);
    if (squatter !== null) {
      await until('it is refused', async () =>
        provider.lines.some((line) => line.includes('is taken by another program')),
      );
      assert.equal((await provider.provision()).status, 503);
      await release(squatter);
    }
    await until('it answers again', () =>
      rowsOf(url, 'SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    await until('it is healthy', () => provider.healthy());
  });
});
