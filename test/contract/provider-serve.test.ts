import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { SampleBench, SSO_SALT } from '../../providers/examples/spec-support.js';
import { basic, PASSWORD, type ProviderProcess } from '../../providers/postgres/spec-support.js';
import type { LogEntry, ServedResource } from '../../src/conformance/served-platform.js';
import { SoukProcess } from '../support/souk-process.js';
import { until } from '../support/until.js';
import { ScriptableProvider } from './scriptable-provider.js';

const CLIENT_SECRET = 'the secret of the client';

const bench = new SampleBench();
const scratch = mkdtempSync(join(tmpdir(), 'souk-serve-'));
let provider: ProviderProcess;
let shared: SoukProcess;
/** Of the platform that is asked. */
let control: string;
beforeAll(async () => {
  const env = {
    SOUK_HOME: await bench.home(),
    SOUK_PROVIDER_SLUG: 'slow',
    SOUK_PROVIDER_DATABASE_URL: await bench.databaseUrl(),
    SOUK_PROVIDER_CLIENT_SECRET: CLIENT_SECRET,
    SLOW_MS: '20',
  };
  provider = await bench.start('slow', env);
  shared = await serveSlow();
  control = controlOf(shared);
});
afterAll(async () => {
  await shared.end();
  await bench.clear();
  rmSync(scratch, { recursive: true, force: true });
});

const serveSlow = () =>
  serve(
    'providers/examples/slow/addon-manifest.json',
    ['--base-url', `http://127.0.0.1:${provider.port}/heroku/resources`],
    { SOUK_PROVIDER_PASSWORD: PASSWORD, SOUK_PROVIDER_SSO_SALT: SSO_SALT },
  );

function controlOf({ output }: SoukProcess): string {
  return /^control at (.+)$/m.exec(output)?.[1] ?? assert.fail(output);
}

async function serve(
  manifest: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<SoukProcess> {
  const started = SoukProcess.spawn(['provider', 'serve', manifest, ...args], env, undefined, 'pipe');
  await started.waitFor('help lists the commands.');
  return started;
}

async function ask<T>(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${control}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as T };
}

async function made<T>(asked: Promise<{ status: number; body: T }>): Promise<T> {
  const { status, body } = await asked;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
}

const reach = (uuid: string, state: ServedResource['state']) =>
  until(async () => {
    const resource = await made(ask<ServedResource>('GET', `/resources/${uuid}`));
    assert.equal(resource.state, state, JSON.stringify(resource));
    return resource;
  }, 20_000);

/** What went over the wire about one resource; of tokens the answer names it. */
const calls = async (uuid: string) =>
  (await made(ask<LogEntry[]>('GET', '/log')))
    .filter(({ sent, received }) => `${sent} ${received}`.includes(uuid))
    .map(({ sent, received }) => {
      const [method = '', address = ''] = sent.split(' ');
      const path = address.replace(/^http:\/\/[^/]+/, '').replace(/[0-9a-f-]{36}/, 'UUID');
      return `${method} ${path} ${received.slice(0, 3)}`;
    });

describe('souk provider serve', () => {
  let own: SoukProcess | null = null;
  afterEach(async () => {
    await own?.end();
    own = null;
    control = controlOf(shared);
  });

  it('lets a provider exchange its grant, set config, refresh its token after nine hours, and end', async () => {
    const { uuid } = await made(ask<ServedResource>('POST', '/resources', {}));
    const ready = await reach(uuid, 'provisioned');
    assert.deepEqual([ready.plan, ready.config_vars, ready.tokens], ['test', ['SLOW_URL'], 1]);
    // The provider may report before its answer has been read.
    assert.deepEqual((await calls(uuid)).sort(), [
      'PATCH /addons/UUID/config 200',
      'POST /addons/UUID/actions/provision 200',
      'POST /heroku/resources 202',
      'POST /oauth/token 200',
    ]);
    const before = Date.parse((await made(ask<{ now: string }>('GET', '/clock'))).now);
    const moved = await made(ask<{ now: string }>('POST', '/clock', { advance: '+9h' }));
    assert.ok(Date.parse(moved.now) - before >= 9 * 3_600_000);
    const changed = await made(ask<ServedResource>('PATCH', `/resources/${uuid}`, { plan: 'steady' }));
    assert.deepEqual([changed.plan, changed.state, changed.tokens], ['steady', 'provisioned', 2]);
    assert.deepEqual(changed.refusals, ['PATCH config: the access token has expired']);
    assert.deepEqual((await calls(uuid)).slice(4), [
      'PATCH /addons/UUID/config 401',
      'POST /oauth/token 200',
      'PATCH /addons/UUID/config 200',
      'PUT /heroku/resources/UUID 200',
    ]);
    const gone = await made(ask<ServedResource>('DELETE', `/resources/${uuid}`));
    assert.deepEqual([gone.state, gone.config_vars], ['deprovisioned', []]);
    for (const secret of [CLIENT_SECRET, PASSWORD, SSO_SALT, `/things/${uuid}`])
      assert.ok(!shared.output.includes(secret), `${secret} is shown`);
    assert.match(shared.output, /"access_token":"•••"/);
    assert.match(
      shared.output,
      /⇠ PATCH \/addons\/\S+\/config \{"config":\[\{"name":"SLOW_URL","value":"•••"\}\]\}/,
    );
  });

  it('gives up what is not done after twelve hours, takes it away, and lets nobody speak for it any more', async () => {
    const idle = await new ScriptableProvider('never-reports', true).start();
    writeFileSync(join(scratch, 'manifest.json'), JSON.stringify(idle.manifest()));
    own = await serve(join(scratch, 'manifest.json'), []);
    control = controlOf(own);
    const { uuid, state } = await made(ask<ServedResource>('POST', '/resources', { plan: 'large' }));
    assert.equal(state, 'provisioning');
    await made(ask('POST', '/clock', { advance: '11h59m' }));
    await reach(uuid, 'provisioning');
    await made(ask('POST', '/clock', { advance: '2m' }));
    const ended = await reach(uuid, 'deprovisioned');
    assert.equal(ended.reason, 'It was not done within 12 h.');
    assert.deepEqual(idle.live(), []);
    const repeated = await ask('POST', `/resources/${uuid}/repeat`);
    assert.equal(repeated.status, 422);
    await idle.stop();
  });

  it('takes lines at its prompt, one after the other, and takes away what was made when it ends', async () => {
    const served = (own = await serveSlow());
    control = controlOf(served);
    served.type('provision');
    await served.waitFor(/actions\/provision/);
    const [resource] = await made(ask<ServedResource[]>('GET', '/resources'));
    const uuid = resource?.uuid ?? assert.fail('there is no resource');
    await reach(uuid, 'provisioned');
    served.type(`change ${uuid.slice(0, 8)} no-such-plan`);
    await served.waitFor('The plan change ended with HTTP 422.');
    served.type('clock +90m');
    await served.waitFor(/It is \S+ at the platform\./);
    served.type(`sso ${uuid}`);
    await served.waitFor(`Open ${control}/resources/${uuid}/sso in a browser.`);
    served.type('explode');
    await served.waitFor('There is no command "explode".');
    served.type('change ffffffff test');
    await served.waitFor('There is no resource ffffffff.');
    served.type('quit');
    assert.deepEqual(await served.ended(), { code: 0, signal: null });
    const { status } = await provider.call(
      'DELETE',
      `/heroku/resources/${uuid}`,
      undefined,
      basic('slow', PASSWORD),
    );
    assert.equal(status, 410, 'it was taken away');
  });

  it('signs a browser on with a form that the salt of the manifest proves', async () => {
    const { uuid, id } = await made(ask<ServedResource>('POST', '/resources', {}));
    const page = await (await fetch(`${control}/resources/${uuid}/sso`)).text();
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1];
    assert.ok(page.includes(`action="http://127.0.0.1:${provider.port}/sso"`), page);
    const proof = createHash('sha1').update(`${id}:${SSO_SALT}:${field('timestamp')}`);
    assert.equal(field('token'), proof.digest('hex'));
    assert.equal(field('resource_id'), uuid);
  });

  it('says what is wrong with a request, and answers no web page', async () => {
    const { uuid } = await made(ask<ServedResource>('POST', '/resources', {}));
    const wrong: [string, string, object | undefined, number][] = [
      ['GET', '/resources/no-such', undefined, 404],
      ['DELETE', '/resources/no-such', undefined, 404],
      ['PATCH', `/resources/${uuid}`, {}, 422],
      ['POST', '/resources', { plan: 7 }, 422],
      ['POST', '/clock', { advance: '-8h' }, 422],
      ['POST', '/nothing', {}, 404],
    ];
    for (const [method, path, body, status] of wrong) {
      const answer = await ask<{ message: string }>(method, path, body);
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.notEqual(answer.body.message, '');
    }
    const count = (await made(ask<ServedResource[]>('GET', '/resources'))).length;
    const foreign = await ask('POST', '/resources', {}, { origin: 'http://evil.example' });
    assert.equal(foreign.status, 403);
    assert.equal((await made(ask<ServedResource[]>('GET', '/resources'))).length, count);
    assert.equal(await statusForHost('evil.example'), 403);
    assert.equal(await statusForHost(new URL(control).host), 200);
  });
});

/** As a page does whose name leads to loopback. */
function statusForHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${control}/resources`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject).end();
  });
}
