import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { freePort } from '../../providers/engines/index.js';
import { filesOfRepository } from '../support/git.js';
import { processesOf, removeSouk } from '../support/leftovers.js';
import { until } from '../support/until.js';

/** All that a bare machine offers. */
const PROGRAMS = ['node', 'npm', 'sh', 'apt', 'dpkg'];
interface User {
  name: string;
  uid: number;
  gid: number;
}

/** Root tries it as root and as an ordinary user; whoever else runs the tests tries it as himself. */
function users(): User[] {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (uid !== 0) return [{ name: 'the ordinary user who runs this', uid, gid }];
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('nobody:'));
  const [, , nobody, nogroup] = line?.split(':') ?? [];
  return [
    { name: 'root', uid: 0, gid: 0 },
    { name: 'an ordinary user', uid: Number(nobody), gid: Number(nogroup) },
  ];
}

describe.each(users())('npm ci && npm run demo in a fresh clone, with a bare PATH, as $name', (user) => {
  let place: string;
  let clone: string;
  let env: Record<string, string>;
  let demo: ChildProcess | null = null;
  let output = '';

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'souk-demo-'));
    chmodSync(place, 0o755);
    clone = join(place, 'clone');
    for (const file of await filesOfRepository()) cpSync(resolve(file), join(clone, file));
    const bin = join(place, 'bin');
    for (const folder of [bin, join(place, 'home')]) mkdirSync(folder);
    for (const program of PROGRAMS) symlinkSync(findOnPath(program), join(bin, program));
    giveAway(place, user);
    env = { PATH: bin, HOME: join(place, 'home'), PORT: String(await freePort()), NO_COLOR: '1' };
  });
  afterAll(async () => {
    if (demo !== null && demo.exitCode === null) {
      const ended = new Promise((done) => demo?.once('close', done));
      demo.kill('SIGTERM');
      await ended;
    }
    await removeSouk(join(clone, '.souk'));
    rmSync(place, { recursive: true, force: true });
  });

  const run = (program: string, args: string[], more: Record<string, string> = {}) =>
    new Promise<string>((done, failed) => {
      execFile(
        program,
        args,
        { cwd: clone, env: { ...env, ...more }, uid: user.uid, gid: user.gid, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          if (error === null) done(stdout);
          else failed(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
        },
      );
    });

  it('installs with npm ci', async () => {
    await run(join(env.PATH ?? '', 'npm'), ['ci', '--no-audit', '--no-fund']);
  }, 300_000);

  it('starts everything, and shows what there is and how to use it', async () => {
    const started = spawn(join(env.PATH ?? '', 'npm'), ['run', 'demo'], {
      cwd: clone,
      env,
      uid: user.uid,
      gid: user.gid,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    demo = started;
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (text: Buffer) => (output += text.toString()));
    await until(() => {
      assert.equal(started.exitCode, null, output);
      assert.ok(output.includes('Ctrl-C stops it'), output);
    }, 180_000);
    for (const text of [
      'Starting PostgreSQL',
      'App demo',
      '(souk-postgresql:essential-0): provisioned',
      'DATABASE_URL=postgres://•',
      'export HEROKU_HOST=',
      'npx heroku config:get DATABASE_URL -a demo',
    ])
      assert.ok(output.includes(text), `${text}\n${output}`);
    assert.doesNotMatch(output, /"level":(50|60)/);
  }, 200_000);

  it('gives the heroku CLI a DATABASE_URL that works', async () => {
    const exported = Object.fromEntries(
      [...output.matchAll(/^export ([A-Z_]+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    const url = // npx by another name: a machine may have npm alone.
      (
        await run(
          join(env.PATH ?? '', 'npm'),
          ['exec', '--', 'heroku', 'config:get', 'DATABASE_URL', '-a', 'demo'],
          exported,
        )
      ).trim();
    assert.match(url, /^postgres:\/\/.*@localhost:/);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    await client.end();
  });

  it('ends at Ctrl-C, with nothing left running', async () => {
    assert.ok(demo !== null);
    const ended = new Promise<number | null>((done) => demo?.once('close', done));
    // A terminal sends it to every process of its group, and npm hands on what it gets.
    process.kill(-(demo.pid ?? 0), 'SIGINT');
    await ended;
    await until(async () => {
      for (const folder of [place, join(clone, '.souk')]) assert.deepEqual(await processesOf(folder), []);
    });
  }, 60_000);
});

function findOnPath(program: string): string {
  const folder = (process.env.PATH ?? '').split(delimiter).find((one) => existsSync(join(one, program)));
  assert.ok(folder !== undefined, `${program} is not on PATH`);
  return join(folder, program);
}

function giveAway(path: string, user: User): void {
  lchownSync(path, user.uid, user.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) giveAway(inside, user);
    else if (!entry.isSymbolicLink()) chownSync(inside, user.uid, user.gid);
  }
}
