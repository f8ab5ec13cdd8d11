import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ok } from '../support/api.js';
import { processesOf } from '../support/leftovers.js';
import { OwnSouk } from '../support/own-souk.js';
import type { AddonBody, ReleaseBody } from '../support/resources.js';
import { runSouk } from '../support/souk-process.js';
import { until } from '../support/until.js';

/** Small, so that it is soon full; an empty database takes about the half of it. */
const QUOTA_KILOBYTES = 16_384;
const EMPTY_KILOBYTES = 7_700;

let souk: OwnSouk;
beforeAll(async () => {
  souk = new OwnSouk();
  await souk.start({
    SOUK_QUOTA_INTERVAL_MS: '200',
    SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: String(QUOTA_KILOBYTES * 1024),
  });
});
afterAll(() => souk.remove());

async function selectOne(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query('SELECT 1 AS one')).rows[0];
  } finally {
    await client.end();
  }
}

describe('souk up', () => {
  it('shows each step of its first start, and keeps what it made to its user', () => {
    for (const step of [
      'Starting PostgreSQL',
      'Migrating the database',
      'Starting the postgres provider',
      'Souk is up at http://127.0.0.1:',
    ])
      assert.ok(souk.process?.output.includes(step), `${step}\n${souk.process?.output}`);
    assert.equal(statSync(souk.home).mode & 0o777, 0o700);
    for (const file of ['credentials.json', 'keyring', 'providers/postgres.json'])
      assert.equal(statSync(join(souk.home, file)).mode & 0o777, 0o600, file);
  });

  it('logs one line for each request, with no secret in any line', async () => {
    ok(await souk.api.post('/apps', { name: 'logged-app' }));
    ok(await souk.api.patch('/apps/logged-app/config-vars', { NEEDLE: 'needle-value-in-no-log' }));
    ok(await souk.api.post('/apps/logged-app/addons', { plan: 'souk-postgresql' }));
    const vars = ok(await souk.api.get<Record<string, string>>('/apps/logged-app/config-vars'));
    await souk.process?.waitFor('"route":"/apps/:app/config-vars"');
    const output = souk.process?.output ?? '';
    const password = new URL(vars.DATABASE_URL ?? '').password;
    assert.ok(password.length > 10);
    const { token } = souk.credentials;
    const keys = readFileSync(join(souk.home, 'keyring'), 'utf8').trim().split(':')[1] ?? '';
    const facts = JSON.parse(readFileSync(join(souk.home, 'providers', 'postgres.json'), 'utf8')) as {
      password: string;
      ssoSalt: string;
    };
    for (const secret of ['needle-value-in-no-log', password, token, keys, facts.password, facts.ssoSalt])
      assert.ok(!output.includes(secret), 'a secret is in the log');
    const requests = output
      .split('\n')
      .filter((line) => line.includes('"msg":"request"') && line.includes('/apps/logged-app/addons'));
    assert.equal(requests.filter((line) => line.includes('"route":"/apps/:app/addons"')).length, 1);
  });

  it('serves health, metrics, the OpenAPI document and its page', async () => {
    const { url } = souk.credentials;
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    const ready = (await (await fetch(`${url}/health/ready`)).json()) as { checks: Record<string, string> };
    assert.deepEqual(Object.keys(ready.checks).sort(), ['database', 'provider postgres', 'queue']);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const name of [
      'souk_http_request_seconds',
      'souk_jobs_total',
      'souk_operations_open',
      'souk_outbox_rows',
      'souk_provider_call_seconds',
    ])
      assert.ok(
        metrics.includes(`# TYPE ${name} `),
        `${name} in\n${metrics.match(/# TYPE souk.*/g)?.join('\n')}`,
      );
    const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
    assert.deepEqual(document, JSON.parse(readFileSync('docs/openapi.json', 'utf8')), 'run npm run openapi');
    assert.match(await (await fetch(`${url}/docs`)).text(), /<html/i);
  });

  it('says in a sentence what is wrong with its settings, and starts nothing', async () => {
    for (const [env, sentence] of [
      [{ PORT: 'http' }, 'PORT must be a port number'],
      [{ SOUK_ROLE: 'king' }, 'SOUK_ROLE must be one of'],
      [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must be a URL that begins with postgres'],
      [{ SOUK_ADMIN_EMAIL: 'a@b.test' }, 'go together'],
      [{ SOUK_ADMIN_EMAIL: 'a@b.test', SOUK_ADMIN_TOKEN: 'short' }, 'at least 16 characters'],
      [{ SOUK_PROVIDERS: 'oracle' }, 'there is no bundled provider oracle'],
    ] as const) {
      const folder = join(souk.home, '..', 'refused');
      const run = await runSouk(['up'], { SOUK_HOME: folder, ...env });
      assert.equal(run.code, 1, run.output);
      assert.ok(run.output.includes(sentence), run.output);
      assert.doesNotMatch(run.output, /\n\s+at /);
      assert.equal(existsSync(folder), false);
    }
  });

  it('refuses a second start on the same folder, and a port that is taken, and leaves the first alone', async () => {
    const second = await souk.run(['up']);
    assert.equal(second.code, 1);
    assert.match(second.output, /Another Souk runs on/);
    const server = createServer((_, response) => response.end('taken'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const other = new OwnSouk();
    const run = await other.run(['up'], { PORT: String((server.address() as AddressInfo).port) });
    await other.remove();
    server.close();
    assert.equal(run.code, 1);
    assert.match(run.output, /Another program listens on that port/);
    ok(await souk.api.get('/account'));
  });
});

describe('souk db migrate', () => {
  it('is refused beside a Souk that runs, and leaves its PostgreSQL alone', async () => {
    const refused = await souk.run(['db', 'migrate']);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /Another Souk runs on/);
    ok(await souk.api.get('/account'));
  });

  it('brings the schema up to date by itself, and leaves nothing running', async () => {
    const other = new OwnSouk();
    try {
      const first = await other.run(['db', 'migrate']);
      assert.match(first.output, /Ran \d+: /);
      assert.deepEqual(await processesOf(other.home), []);
      assert.match((await other.run(['db', 'migrate'])).output, /The schema is up to date/);
    } finally {
      await other.remove();
    }
  });
});

describe('the souk command', () => {
  it('cli-env prints the exports for the heroku CLI', async () => {
    const { output, code } = await souk.run(['cli-env']);
    assert.equal(code, 0);
    const { url, token } = souk.credentials;
    assert.deepEqual(output.trim().split('\n'), [
      `export HEROKU_HOST='${url}'`,
      `export HEROKU_API_KEY='${token}'`,
      `export HEROKU_PARTICLEBOARD_URL='${url}'`,
      "export HEROKU_DATA_HOST='127.0.0.1'",
      "export PGDIAGNOSE_URL='127.0.0.1'",
      `export HEROKU_LOGIN_HOST='${url}'`,
      "export DISABLE_TELEMETRY='true'",
      "export HEROKU_SKIP_NEW_VERSION_CHECK='1'",
      "export HEROKU_DISABLE_AUTOUPDATE='1'",
      "export HEROKU_NOTIFICATIONS='0'",
      "export HEROKU_NETRC_WRITE='true'",
      "export HEROKU_POSTGRESQL_ADDON_NAME='souk-postgresql'",
      "export HEROKU_REDIS_ADDON_NAME='souk-redis'",
    ]);
  });

  it('tokens are made, used, listed and revoked', async () => {
    const made = await souk.run([
      'tokens',
      'create',
      '-d',
      'for a script',
      '--scope',
      'apps:read',
      '--expires-in-days',
      '2',
      '--json',
    ]);
    const { id, access_token } = JSON.parse(made.output) as { id: string; access_token: { token: string } };
    const listed = await souk.run(['tokens', 'list']);
    assert.match(listed.output, new RegExp(`${id}\\s+for a script\\s+apps:read\\s+2 days`));
    const scoped = await souk.run(['accounts', 'create', 'x@souk.test'], { SOUK_TOKEN: access_token.token });
    assert.equal(scoped.code, 1);
    assert.match(scoped.output, /needs a token with the scope admin.*\(forbidden\)/);
    assert.equal((await souk.run(['tokens', 'revoke', id])).code, 0);
    assert.match(
      (await souk.run(['tokens', 'list'], { SOUK_TOKEN: access_token.token })).output,
      /unauthorized/,
    );
    assert.equal((await souk.run(['tokens', 'create', '--expires-in-days', 'soon'])).code, 1);
  });

  it('accounts, findings, notices and the audit trail', async () => {
    const token = (await souk.run(['accounts', 'create', 'dev@souk.test', '--json'])).output;
    assert.equal((JSON.parse(token) as { email: string }).email, 'dev@souk.test');
    assert.match((await souk.run(['findings'])).output, /No open findings/);
    const [addon] = ok(await souk.api.get<AddonBody[]>('/addons'));
    assert.match((await souk.run(['notices', addon?.name ?? ''])).output, /No notices/);
    await until(async () => {
      const verified = await souk.run(['audit', 'verify', '--json']);
      const report = JSON.parse(verified.output) as { ok: boolean; sealed: number };
      assert.ok(report.ok && report.sealed > 5);
    });
  });

  it('operations, providers and findings, with a pause that customers read', async () => {
    ok(await souk.api.post('/apps', { name: 'operated-app' }));
    const plan = 'souk-postgresql:essential-0';
    const addon = ok(await souk.api.post<AddonBody>('/apps/operated-app/addons', { plan }));
    const list = ['operations', 'list', '--state', 'succeeded', '--app', 'operated-app', '--json'];
    const operation = await until(async () => {
      const [one] = JSON.parse((await souk.run(list)).output) as { id: string; plan: string }[];
      assert.equal(one?.plan, plan);
      return one;
    });
    assert.match((await souk.run(['operations', 'list', '--late'])).output, /No such operations/);
    const shown = await souk.run(['operations', 'show', operation.id]);
    assert.match(shown.output, /CALL +WHAT[\s\S]*provision[\s\S]*done +200/);
    const retried = await souk.run(['operations', 'retry', operation.id, '--reason', 'to see']);
    assert.equal(retried.code, 1);
    assert.match(retried.output, /operation_finished/);
    const abandoned = await souk.run(['operations', 'abandon', operation.id, '--reason', 'to see']);
    assert.match(abandoned.output, /operation_finished/);
    assert.match((await souk.run(['providers', 'list'])).output, /souk-postgresql +closed/);
    const pause = ['souk-postgresql', '--reason', 'new disks'];
    assert.match((await souk.run(['providers', 'pause', ...pause])).output, /is paused: new disks/);
    assert.match((await souk.run(['providers', 'list'])).output, /souk-postgresql +provider +new disks/);
    assert.match((await souk.run(['notices', addon.name])).output, /paused by the operator: new disks/);
    assert.match((await souk.run(['providers', 'resume', ...pause])).output, /souk-postgresql goes on/);
    assert.equal((await souk.run(['providers', 'resume', ...pause])).code, 1);
    assert.match((await souk.run(['findings', 'list', '--state', 'all'])).output, /No such findings/);
    assert.equal((await souk.run(['findings', 'close', 'none', '--reason', 'to see'])).code, 1);
    ok(await souk.api.delete('/apps/operated-app'));
  }, 120_000);

  it('notices shows what the provider says of a quota, from the warning to its lifting', async () => {
    ok(await souk.api.post('/apps', { name: 'full-app' }));
    const addon = ok(await souk.api.post<AddonBody>('/apps/full-app/addons', { plan: 'souk-postgresql' }));
    const { DATABASE_URL: url = '' } = ok(
      await souk.api.get<Record<string, string>>('/apps/full-app/config-vars'),
    );
    const open = async () =>
      (
        JSON.parse((await souk.run(['notices', addon.name, '--json'])).output) as {
          severity: string;
          cleared_at: string | null;
        }[]
      )
        .filter(({ cleared_at }) => cleared_at === null)
        .map(({ severity }) => severity);
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    const fill = (client: pg.Client, kilobytes: number) =>
      client.query(
        `INSERT INTO pile SELECT repeat(md5(n::text), 30) FROM generate_series(1, ${kilobytes}) n`,
      );
    await client.query('CREATE TABLE pile (heap text)');
    await fill(client, QUOTA_KILOBYTES - EMPTY_KILOBYTES - 900);
    await until(async () => assert.deepEqual(await open(), ['warning']));
    await fill(client, 2_000);
    await until(async () => assert.deepEqual(await open(), ['critical']));
    await client.end().catch(() => undefined);
    const again = new pg.Client({ connectionString: url });
    await again.connect();
    await assert.rejects(fill(again, 1));
    await again.query('DELETE FROM pile');
    await again.end();
    await until(async () => assert.deepEqual(await open(), []));
    const after = new pg.Client({ connectionString: url });
    await after.connect();
    await fill(after, 1);
    await after.end();
  });

  it('keys rotate encrypts everything anew, with the server up', async () => {
    const before = ok(await souk.api.get('/apps/logged-app/config-vars'));
    const rotated = await souk.run(['keys', 'rotate', '--json']);
    assert.equal(rotated.code, 0, rotated.output);
    assert.match(rotated.output, /"key_id": "k2"/);
    assert.deepEqual(ok(await souk.api.get('/apps/logged-app/config-vars')), before);
  });

  it('doctor finds nothing wrong here, and names what is wrong elsewhere', async () => {
    const fine = await souk.run(['doctor', '--json']);
    const report = JSON.parse(fine.output) as { ok: boolean; checks: { name: string; verdict: string }[] };
    assert.equal(report.ok, true, fine.output);
    assert.deepEqual(
      report.checks.map(({ name }) => name),
      [
        'Node.js',
        'settings',
        'SOUK_HOME',
        'disk',
        'memory',
        'localhost',
        'port',
        'postgresql',
        'valkey',
        'pg-client',
      ],
    );
    const bad = await souk.run(['doctor'], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x',
      REDIS_URL: 'redis://127.0.0.1:1',
      SOUK_ENGINES_DISABLE: 'pg-client',
    });
    assert.equal(bad.code, 1);
    assert.match(bad.output, /✖ DATABASE_URL: .*\n\s+→ Check the address/);
    assert.match(bad.output, /✖ REDIS_URL: /);
    assert.match(bad.output, /! pg-client: It is switched off by SOUK_ENGINES_DISABLE/);
  });

  it('seed makes a demo app, once', async () => {
    const first = await souk.run(['seed']);
    assert.match(
      first.output,
      /App demo\n\s+add-on postgresql-\S+ \(souk-postgresql:essential-0\): provisioned\n\s+config vars\n\s+DATABASE_URL=postgres:\/\/•+/,
    );
    assert.equal((await souk.run(['seed'])).output, first.output);
  });

  it('explains itself', async () => {
    assert.match((await souk.run(['--help'])).output, /up .*start the server/);
    assert.equal((await souk.run(['nonsense'])).code, 1);
    const lost = await runSouk(['tokens', 'list'], { SOUK_HOME: '/nowhere' });
    assert.match(lost.output, /No server is known.*npm start/);
    const away = await runSouk(['tokens', 'list'], { SOUK_URL: 'http://127.0.0.1:1', SOUK_TOKEN: 'x' });
    assert.match(away.output, /No Souk answers at/);
  });
});

describe('stopping and starting again', () => {
  it('a kill -9 of everything loses nothing: the same folder goes on', async () => {
    const before = ok(await souk.api.get<Record<string, string>>('/apps/logged-app/config-vars'));
    await souk.process?.kill('SIGKILL');
    await souk.start();
    assert.deepEqual(ok(await souk.api.get('/apps/logged-app/config-vars')), before);
    assert.deepEqual(await selectOne(before.DATABASE_URL ?? ''), { one: 1 });
    ok(await souk.api.post('/apps/logged-app/addons', { plan: 'souk-postgresql:essential-1' }));
  });

  it('SIGTERM drains: every request that was begun is answered, and no process stays', async () => {
    const { api } = souk;
    const burst = Array.from({ length: 20 }, (_, index) =>
      api.patch('/apps/logged-app/config-vars', { [`DRAIN_${index}`]: 'x' }),
    );
    const creating = api.post<AddonBody>('/apps/logged-app/addons', {
      plan: 'souk-postgresql',
      name: 'drained-addon',
    });
    const ending = await souk.stop();
    const answers = await Promise.allSettled([...burst, creating]);
    for (const answer of answers) {
      assert.ok(answer.status === 'fulfilled', 'a request was dropped');
      assert.ok(answer.value.status < 300, `status ${answer.value.status}`);
    }
    assert.deepEqual(ending, { code: 0, signal: null });
    await souk.start();
    const vars = ok(await souk.api.get<Record<string, string>>('/apps/logged-app/config-vars'));
    assert.equal(Object.keys(vars).filter((name) => name.startsWith('DRAIN_')).length, burst.length);
    const releases = ok(await souk.api.get<ReleaseBody[]>('/apps/logged-app/releases'));
    assert.deepEqual(
      releases.map(({ version }) => version),
      releases.map((_, index) => index + 1),
    );
    const created = ok(await souk.api.get<AddonBody[]>('/apps/logged-app/addons')).filter(
      ({ name }) => name === 'drained-addon',
    );
    for (const addon of created)
      await until(async () =>
        assert.equal(ok(await souk.api.get<AddonBody>(`/addons/${addon.id}`)).state, 'provisioned'),
      );
  });
});
