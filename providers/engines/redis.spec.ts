import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, it } from 'vitest';
import { EngineUnavailable, type RedisOptions, type RedisServer, startRedis } from './index.js';
import { SYSTEM_DATA } from './place.js';
import { isPortFree } from './ports.js';
import { commandLine, isAlive, waitFor } from './processes.js';
import {
  isConnectedTo,
  assertUnprivileged,
  killed,
  modeOf,
  withEnvironment,
  Workbench,
} from './spec-support.js';

describe('startRedis', () => {
  const bench = new Workbench();
  const started: RedisServer[] = [];

  async function start(home: string, more: Partial<RedisOptions> = {}): Promise<RedisServer> {
    const server = await startRedis({ home, name: 'main', ...more });
    started.push(server);
    return server;
  }

  async function ask<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url, {
      lazyConnect: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  /** The data folder of a server, as it says itself. */
  async function folderOf(server: RedisServer): Promise<string> {
    const [, folder] = (await ask(server.url, (client) => client.config('GET', 'dir'))) as string[];
    assert.ok(folder !== undefined);
    return folder;
  }

  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    await bench.clear();
  });

  it('makes a private server that keeps what it is told', async () => {
    const home = await bench.home(0o755);
    const server = await start(home);
    assert.match(server.version, /^\d+\.\d+\.\d+$/);
    assert.equal(
      await ask(server.url.replace('127.0.0.1', 'localhost'), (client) => client.set('a', '1')),
      'OK',
    );
    const policy = await ask(server.url, (client) => client.config('GET', 'maxmemory-policy'));
    assert.deepEqual(policy, ['maxmemory-policy', 'noeviction']);
    assert.equal(await modeOf(await folderOf(server)), '700');
    assert.equal(await modeOf(join(home, 'engines/redis/main/state.json')), '600');
    assert.equal(await modeOf(join(await folderOf(server), 'souk.conf')), '600');
    await assertUnprivileged(server.pid);
  });

  it('refuses who has no password, and does not show it on its command line', async () => {
    const server = await start(await bench.home(0o755));
    const { password } = new URL(server.url);
    const line = await commandLine(server.pid);
    assert.ok(line.includes('souk.conf') || line.includes(String(server.port)), line);
    assert.ok(!line.includes(password));
    const ping = ask(`redis://127.0.0.1:${server.port}`, (client) => client.ping());
    await assert.rejects(ping, /NOAUTH/);
  });

  it('is found again: while it runs, and with its data, port and password after a clean stop', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    const second = await start(home);
    assert.equal(second.pid, first.pid);
    assert.equal(second.url, first.url);
    await ask(first.url, (client) => client.set('kept', 'here'));

    await first.stop();
    await second.stop();
    assert.equal(await isAlive(first.pid), false);
    assert.equal(await isPortFree(first.port), true);

    const third = await start(home);
    assert.notEqual(third.pid, first.pid);
    assert.equal(third.url, first.url);
    assert.equal(await ask(third.url, (client) => client.get('kept')), 'here');
  });

  it('keeps what it confirmed when it is killed', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    await ask(first.url, (client) => client.set('kept', 'here'));
    process.kill(first.pid, 'SIGKILL');
    const second = await start(home);
    assert.notEqual(second.pid, first.pid);
    assert.equal(await ask(second.url, (client) => client.get('kept')), 'here');
  });

  it('starts anew when the server dies while it is being adopted', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    process.kill(first.pid, 'SIGSTOP');
    const starting = start(home);
    await waitFor('the question to the sleeping server', 10_000, () => isConnectedTo(first.port));
    process.kill(first.pid, 'SIGKILL');
    const second = await starting;
    assert.notEqual(second.pid, first.pid);
    assert.equal(await ask(second.url, (client) => client.ping()), 'PONG');
  });

  it('is found although its starter died before it wrote the process down', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    const file = join(home, 'engines/redis/main/state.json');
    const state = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...state, pid: null, mark: null }));
    assert.equal((await start(home)).pid, first.pid);
    await first.stop();
    assert.equal(await isAlive(first.pid), false);
  });

  it('does not take another program for its own when the process id was given away', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    await first.stop();
    const file = join(home, 'engines/redis/main/state.json');
    const state = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...state, pid: process.pid }));
    const second = await start(home);
    assert.notEqual(second.pid, process.pid);
    await second.stop();
  });

  it('takes another port when somebody took its own', async () => {
    const home = await bench.home(0o755);
    const first = await start(home);
    await first.stop();
    const squatter = createServer().listen(first.port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await start(home);
      assert.notEqual(second.port, first.port);
      assert.equal((await start(home)).port, second.port);
    } finally {
      squatter.close();
    }
  });

  it('is one server when several processes start it at once, and outlives their death', async () => {
    const home = await bench.home(0o755);
    const script = `
      import { startRedis } from './index.js';
      const { pid, port } = await startRedis({ home: ${JSON.stringify(home)}, name: 'main' });
      console.log(JSON.stringify({ pid, port }));
      setInterval(() => {}, 1000);
    `;
    const others = await Promise.all([1, 2, 3].map(() => bench.otherProcess(script)));
    assert.equal(new Set(others.map(([, line]) => line)).size, 1);
    for (const [child] of others) await killed(child);
    const adopted = await start(home);
    assert.equal(JSON.stringify({ pid: adopted.pid, port: adopted.port }), others[0]?.[1]);
    await adopted.stop();
    assert.equal(await isAlive(adopted.pid), false);
  });

  it('applies settings at the start, and refuses what is none', async () => {
    const home = await bench.home(0o755);
    const server = await start(home, { settings: { maxmemory: '64mb' } });
    const limit = await ask(server.url, (client) => client.config('GET', 'maxmemory'));
    assert.deepEqual(limit, ['maxmemory', String(64 * 1024 * 1024)]);
    await server.stop();
    await assert.rejects(start(home, { settings: { maxmemory: '1\nport 1' } }), /has to fit on one line/);
    await assert.rejects(start(home, { settings: { 'no-such-setting': '1' } }), /Its log says:[^]*no-such/);
  });

  it('works in a home that is closed to others', async () => {
    const home = await bench.home(0o700);
    const server = await start(home);
    await assertUnprivileged(server.pid);
    const folder = await folderOf(server);
    assert.ok(folder.startsWith(process.getuid?.() === 0 ? SYSTEM_DATA : home));
    await server.stop();
    assert.equal(await folderOf(await start(home)), folder);
  });

  it('does not begin anew in the place of data that was lost', async () => {
    const home = await bench.home(0o755);
    const server = await start(home);
    await server.stop();
    const data = join(home, 'engines/redis/main/data');
    await rename(data, `${data}.lost`);
    await assert.rejects(start(home), /is gone\. Restore it/);
  });

  it('says why it cannot be had and how to get it', async () => {
    const home = await bench.home(0o755);
    const cases: Array<[Record<string, string>, RegExp, RegExp]> = [
      [
        { SOUK_ENGINES_DISABLE: 'valkey,pg-client' },
        /switched off/,
        /^Take valkey out of SOUK_ENGINES_DISABLE/,
      ],
      [{ REDIS_SERVER_BIN: '/nowhere/redis' }, /\(\/nowhere\/redis\) cannot be executed/, /REDIS_SERVER_BIN/],
      [{ REDIS_SERVER_BIN: '/bin/sh' }, /is no Valkey or Redis/, /^Install valkey-server or redis-server/],
    ];
    for (const [environment, why, fix] of cases) {
      await assert.rejects(
        withEnvironment(environment, () => start(home)),
        (error) => {
          assert.ok(error instanceof EngineUnavailable);
          assert.equal(error.missing.engine, 'valkey');
          assert.match(error.missing.why, why);
          assert.match(error.missing.fix, fix);
          return true;
        },
      );
    }
  });
});
