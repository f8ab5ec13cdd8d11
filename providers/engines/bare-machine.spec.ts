import assert from 'node:assert/strict';
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import { type EngineReport } from './index.js';
import { SYSTEM_DATA } from './place.js';
import { isPortFree } from './ports.js';
import { isAlive } from './processes.js';
import { endOf, kindsOfUser, makeBarePath, Workbench } from './spec-support.js';

/** What the other process has to tell. */
interface Story {
  postgres: { pid: number; port: number; uid: number; dataFolder: string; version: string };
  redis: { pid: number; port: number; uid: number };
  client: string;
  selected: string;
  dump: string;
  survey: EngineReport[];
}

/** Everything from nothing, as a first `npm run demo` does it; prints the story when all has stopped again. */
const FIRST_START = `
  process.umask(0o077);
  const { execFileSync } = await import('node:child_process');
  const { statSync } = await import('node:fs');
  const { findPgClient, startPostgres, startRedis, surveyEngines } = await import('./index.js');
  const home = process.env.HOME_OF_SOUK;
  const postgres = await startPostgres({ home, name: 'main', unsafeFast: true });
  const redis = await startRedis({ home, name: 'main' });
  const client = await findPgClient({ home });
  const ask = ({ command, args, env }, ...more) => {
    const url = new URL(postgres.adminUrl);
    const where = { PGHOST: url.hostname, PGPORT: url.port, PGUSER: url.username, PGPASSWORD: url.password };
    return execFileSync(command, [...args, ...more], { env: { ...env, ...where }, encoding: 'utf8', cwd: '/' });
  };
  const selected = ask(client.psql, '-d', 'postgres', '-Atc', "SELECT 'it speaks'").trim();
  const dump = ask(client.pgDump, 'postgres');
  const survey = await surveyEngines(home);
  const uid = (pid) => statSync('/proc/' + pid).uid;
  const story = {
    postgres: { ...postgres, uid: uid(postgres.pid) },
    redis: { pid: redis.pid, port: redis.port, uid: uid(redis.pid) },
    client: client.version, selected, dump, survey,
  };
  for (const engine of [postgres, redis, postgres, redis]) await engine.stop();
  console.log(JSON.stringify(story));
`;

describe('a machine with Node, npm, sh, apt and dpkg on PATH, and nothing fetched yet', async () => {
  const bench = new Workbench();
  afterEach(() => bench.clear());

  for (const { kind, user } of await kindsOfUser()) {
    it(`serves ${kind === 'root' ? 'root, whose home and checkout are closed' : 'an ordinary user, whose checkout is read-only'}`, async () => {
      const home = await bench.home(0o700, user);
      const cache = await bench.home(0o755, user);
      const path = await bench.home(0o755);
      await makeBarePath(path);
      const [child, line] = await bench.otherProcess(FIRST_START, {
        user,
        checkout: await bench.checkout(kind === 'root' ? 'closed' : 'read-only'),
        env: { PATH: path, HOME: home, HOME_OF_SOUK: home, SOUK_ENGINE_CACHE: cache, REDIS_SERVER_BIN: '' },
      });
      assert.equal(await endOf(child), 0);
      const story = JSON.parse(line) as Story;

      const root = kind === 'root';
      const own = user?.uid ?? process.getuid?.();
      for (const { uid } of [story.postgres, story.redis]) {
        if (root) assert.notEqual(uid, 0);
        else assert.equal(uid, own);
      }
      assert.ok(story.postgres.dataFolder.startsWith(root ? SYSTEM_DATA : home));
      assert.equal(story.selected, 'it speaks');
      assert.match(story.dump, /PostgreSQL database dump complete/);
      assert.deepEqual(
        story.survey.map(({ engine, available }) => `${engine} ${available}`),
        ['postgresql true', 'valkey true', 'pg-client true'],
      );
      assert.equal(story.survey[0]?.version, story.postgres.version);
      assert.equal(story.survey[2]?.version, story.client);
      await assertNothingRuns(story);
      // Programs went to the chosen cache, readable by all whatever the umask was.
      for (const folder of await readdir(cache)) await access(join(cache, folder), constants.R_OK);
      assert.ok((await readdir(cache)).includes('programs'));
    });
  }

  async function assertNothingRuns(story: Story): Promise<void> {
    for (const { pid, port } of [story.postgres, story.redis]) {
      assert.equal(await isAlive(pid), false);
      assert.equal(await isPortFree(port), true);
    }
  }
});
