import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { removeEngine } from '../../providers/engines/index.js';
import { runSouk } from '../support/souk-process.js';
import { until } from '../support/until.js';

interface MadeManifest {
  id: string;
  api: { password: string; sso_salt: string; production: { base_url: string } };
}

interface Answer {
  status: number;
  body: { id?: string; config?: Record<string, string>; message?: string };
}

/** A provider as its author starts it, with the environment of a fresh terminal. */
class Started {
  output = '';

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (this.output += text.toString()));
  }

  static async start(folder: string): Promise<Started> {
    const { PATH = '', HOME = '', SOUK_ENGINE_CACHE } = process.env;
    const started = new Started(
      spawn(process.execPath, ['provider.js'], {
        cwd: folder,
        env: { PATH, HOME, ...(SOUK_ENGINE_CACHE === undefined ? {} : { SOUK_ENGINE_CACHE }) },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    await until(() => {
      assert.ok(started.output.includes('"event":"listening"'), started.output);
    }, 60_000);
    return started;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }
}

describe('souk provider new', () => {
  let parent: string;
  let folder: string;
  let manifest: MadeManifest;
  let provider: Started | null = null;

  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'souk-new-'));
    folder = join(parent, 'deeper', 'acme');
    const made = await runSouk(['provider', 'new', 'acme-store', '--folder', folder], {});
    assert.equal(made.code, 0, made.output);
    assert.ok(made.output.includes('npm start'));
    manifest = JSON.parse(readFileSync(join(folder, 'addon-manifest.json'), 'utf8')) as MadeManifest;
    provider = await Started.start(folder);
  });
  afterAll(async () => {
    await provider?.end('SIGTERM');
    await removeEngine({ home: join(folder, '.souk'), kind: 'postgres', name: 'provider' });
    rmSync(parent, { recursive: true });
  });

  const call = async (method: string, path: string, body?: unknown, password?: string): Promise<Answer> => {
    const { base_url: base } = manifest.api.production;
    const basic = Buffer.from(`acme-store:${password ?? manifest.api.password}`).toString('base64');
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
  };
  const provision = (uuid: string, plan = 'test') =>
    call('POST', '', { uuid, plan, region: 'amazon-web-services::us-east-1', options: {}, some_day: [1] });

  it('keeps the secrets to its maker, and out of git', () => {
    assert.equal(statSync(join(folder, 'addon-manifest.json')).mode & 0o777, 0o600);
    assert.ok(manifest.api.password.length >= 32);
    assert.notEqual(manifest.api.password, manifest.api.sso_salt);
    const ignored = readFileSync(join(folder, '.gitignore'), 'utf8').split('\n');
    for (const name of ['addon-manifest.json', '.souk/', 'node_modules/']) assert.ok(ignored.includes(name));
    for (const file of ['README.md', 'package.json', 'provider.js', 'addon-manifest.json'])
      assert.ok(!/__[A-Z]/.test(readFileSync(join(folder, file), 'utf8')), file);
    assert.ok(readFileSync(join(folder, 'README.md'), 'utf8').startsWith('# `acme-store`\n'));
  });

  it('has the souk command in its folder, as its README says', () => {
    const { status, stdout } = spawnSync('npx', ['souk', 'provider', 'rules'], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.match(stdout, /plan-change-unknown/);
  });

  it('says what to do when it is started a second time', () => {
    const again = spawnSync('node', ['provider.js'], { cwd: folder, encoding: 'utf8' });
    assert.equal(again.status, 1);
    assert.match(
      again.stderr,
      /Another program listens on port \d+, .*Stop it, or choose another with PORT=/,
    );
  });

  it('answers a whole life of a resource', async () => {
    const uuid = randomUUID();
    const many = await Promise.all([1, 2, 3, 4].map(() => provision(uuid)));
    for (const { status, body } of many) {
      assert.equal(status, 200);
      assert.deepEqual(body, many[0]?.body);
    }
    assert.deepEqual(Object.keys(many[0]?.body.config ?? {}), ['ACME_STORE_URL', 'ACME_STORE_KEY']);
    assert.equal((await call('PUT', `/${uuid}`, { plan: 'basic' })).status, 200);
    assert.equal((await call('PUT', `/${uuid}`, { plan: 'basic' })).status, 200);
    const unknown = await call('PUT', `/${uuid}`, { plan: 'no-such-plan' });
    assert.equal(unknown.status, 422);
    assert.ok(unknown.body.message);
    assert.equal((await provision(randomUUID(), 'no-such-plan')).status, 422);
    assert.equal((await call('DELETE', `/${uuid}`)).status, 204);
    assert.equal((await call('DELETE', `/${uuid}`)).status, 410);
    assert.equal((await provision(uuid)).status, 410);
    assert.equal((await call('DELETE', `/${randomUUID()}`)).status, 404);
  });

  it('asks for the password before anything else', async () => {
    const uuid = randomUUID();
    await provision(uuid);
    for (const [method, path] of [
      ['POST', ''],
      ['PUT', `/${uuid}`],
      ['DELETE', `/${uuid}`],
      ['DELETE', `/${randomUUID()}`],
    ] as const)
      assert.equal((await call(method, path, {}, 'wrong')).status, 401, `${method} ${path}`);
    await call('DELETE', `/${uuid}`);
  });

  it('sells what it says: a store of values, as many as the plan has', async () => {
    const uuid = randomUUID();
    const { config = {} } = (await provision(uuid, 'basic')).body;
    const ask = (method: string, name: string, body?: unknown, key = config.ACME_STORE_KEY) =>
      fetch(`${config.ACME_STORE_URL}/${name}`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    const put = await Promise.all(Array.from({ length: 101 }, (_, i) => ask('PUT', `v${i}`, { i })));
    assert.deepEqual(new Set(put.map(({ status }) => status)), new Set([204]));
    assert.deepEqual(await (await ask('GET', 'v7')).json(), { value: { i: 7 } });
    assert.equal((await ask('GET', 'v7', undefined, 'wrong')).status, 401);
    const refused = await call('PUT', `/${uuid}`, { plan: 'test' });
    assert.equal(refused.body.message, 'The store holds 101 values, and test takes 100.');
    await ask('DELETE', 'v0');
    assert.equal((await call('PUT', `/${uuid}`, { plan: 'test' })).status, 200);
    assert.equal((await ask('PUT', 'one-more', 1)).status, 422);
    // Killed, and started again, it has what it had.
    await provider?.end('SIGKILL');
    provider = await Started.start(folder);
    assert.equal((await ask('GET', 'v7')).status, 200);
    await call('DELETE', `/${uuid}`);
    assert.equal((await ask('GET', 'v7')).status, 401);
  });

  it('never writes over anything', async () => {
    const taken = join(parent, 'taken');
    cpSync(join(folder, 'README.md'), join(taken, 'README.md'));
    writeFileSync(join(taken, 'provider.js'), 'mine');
    const refused = await runSouk(['provider', 'new', 'acme', '--folder', taken], {});
    assert.equal(refused.code, 1);
    assert.ok(refused.output.includes('exists and is not empty'), refused.output);
    assert.equal(readFileSync(join(taken, 'provider.js'), 'utf8'), 'mine');
    assert.deepEqual(readdirSync(parent).sort(), ['deeper', 'taken']);
  });

  it.each([
    'Acme',
    'a',
    'acme_db',
    '-acme',
    'acme-',
    'a--b',
    '../acme',
    'my-addon',
    'add-on-x',
    'x'.repeat(41),
  ])('refuses the name %s', async (name) => {
    const target = join(parent, 'refused');
    const refused = await runSouk(['provider', 'new', '--folder', target, '--', name], {});
    assert.equal(refused.code, 1);
    assert.ok(!existsSync(target));
  });
});
