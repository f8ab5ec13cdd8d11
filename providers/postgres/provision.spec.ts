import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { providerFolder } from './engine/cluster.js';
import { listTenants, providerClusterUrl } from './inventory.js';
import { basic, Bench, PASSWORD, type ProviderProcess, rowsOf, SLUG, until, urlIn } from './spec-support.js';

describe('the Postgres provider over HTTP', () => {
  const bench = new Bench();
  let home: string;
  let provider: ProviderProcess;

  beforeAll(async () => {
    home = await bench.home();
    provider = await bench.start({ SOUK_HOME: home, SOUK_LOG_LEVEL: 'debug' });
  });
  afterAll(() => bench.clear());

  const inventory = async () => listTenants(await providerClusterUrl(home));

  it('makes a database that its URL opens', async () => {
    const uuid = randomUUID();
    const answer = await provider.provision(uuid);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.id, uuid);
    assert.equal(answer.body.message, 'The database holds up to 1 GB and takes 20 connections.');
    const url = new URL(urlIn(answer));
    assert.equal(url.protocol, 'postgres:');
    assert.equal(url.hostname, 'localhost');
    await rowsOf(url.href, 'CREATE TABLE t (a int)');
    assert.deepEqual(await rowsOf(url.href, 'SELECT count(*) FROM t'), [{ count: '0' }]);
    await provider.deprovision(uuid);
  });

  it('answers a repeat, and many at once, with the same resource', async () => {
    const before = await inventory();
    const uuid = randomUUID();
    const answers = await Promise.all(Array.from({ length: 12 }, () => provider.provision(uuid)));
    const first = answers.find(({ status }) => status === 200);
    assert.ok(first);
    for (const answer of answers) {
      assert.ok(
        answer.status === 200 || (answer.status === 503 && answer.headers.get('retry-after') !== null),
      );
      if (answer.status === 200) assert.deepEqual(answer.body, first.body);
    }
    assert.deepEqual((await provider.provision(uuid.toUpperCase())).body, first.body);
    const after = await inventory();
    assert.equal(after.databases.length, before.databases.length + 1);
    assert.equal(after.roles.length, before.roles.length + 3);
    await provider.deprovision(uuid);
    assert.deepEqual(await inventory(), before);
  });

  it('takes creates and deletes of many resources at once', async () => {
    const before = await inventory();
    const uuids = Array.from({ length: 8 }, () => randomUUID());
    const made = await Promise.all(uuids.map((uuid) => provider.provision(uuid)));
    assert.deepEqual(new Set(made.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(made.map(urlIn)).size, uuids.length);
    const gone = await Promise.all(uuids.map((uuid) => provider.deprovision(uuid)));
    assert.deepEqual(new Set(gone.map(({ status }) => status)), new Set([204]));
    assert.deepEqual(await inventory(), before);
  });

  it('deletes for good: the second time it is gone, and it never comes back', async () => {
    const { uuid, url } = await provider.tenant();
    // An open session does not hold it up.
    await bench.connect(url);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    assert.equal((await provider.deprovision(uuid)).status, 410);
    assert.equal((await provider.provision(uuid)).status, 410);
    assert.equal((await provider.changePlan(uuid, 'essential-1')).status, 410);
    await assert.rejects(rowsOf(url, 'SELECT 1'));
  });

  it('buries a uuid that was deleted before it was made', async () => {
    const uuid = randomUUID();
    const before = await inventory();
    assert.equal((await provider.deprovision(uuid)).status, 404);
    assert.equal((await provider.provision(uuid)).status, 410);
    assert.equal((await provider.deprovision(uuid)).status, 410);
    assert.deepEqual(await inventory(), before);
  });

  it('ends the same when a delete overtakes a create', async () => {
    const before = await inventory();
    const uuid = randomUUID();
    await Promise.all([provider.provision(uuid), provider.deprovision(uuid)]);
    const last = await provider.deprovision(uuid);
    assert.ok([204, 410].includes(last.status), `${last.status}`);
    assert.equal((await provider.provision(uuid)).status, 410);
    assert.deepEqual(await inventory(), before);
  });

  it('changes plans, and takes the same plan for no change', async () => {
    const { uuid } = await provider.tenant();
    assert.equal((await provider.changePlan(uuid, 'essential-0')).status, 200);
    const larger = await provider.changePlan(uuid, 'essential-1');
    assert.equal(larger.status, 200);
    assert.equal(larger.body.message, 'The database holds up to 10 GB and takes 20 connections.');
    assert.equal((await provider.changePlan(uuid, 'essential-0')).status, 200);
    assert.equal((await provider.changePlan(uuid, 'premium-9')).status, 422);
    assert.equal((await provider.changePlan(randomUUID(), 'essential-1')).status, 404);
    await provider.deprovision(uuid);
  });

  it('asks for the password before anything else', async () => {
    const { uuid } = await provider.tenant();
    const wrong = [
      basic(SLUG, 'wrong'),
      basic('wrong', PASSWORD),
      basic(SLUG, ''),
      '',
      'Basic',
      'Basic %%%',
      `Bearer ${PASSWORD}`,
    ];
    const calls: [string, string][] = [
      ['POST', '/heroku/resources'],
      ['GET', '/heroku/resources'],
      ['PUT', `/heroku/resources/${uuid}`],
      ['DELETE', `/heroku/resources/${uuid}`],
      ['DELETE', `/heroku/resources/${randomUUID()}`],
      ['GET', '/no/such/address'],
      ['DELETE', '/health'],
    ];
    for (const authorization of wrong)
      for (const [method, path] of calls) {
        const answer = await provider.call(method, path, method === 'GET' ? undefined : '{', authorization);
        assert.equal(answer.status, 401, `${method} ${path} with "${authorization}"`);
        assert.equal(answer.body.id, 'unauthorized');
      }
    assert.equal((await provider.call('GET', '/health', undefined, '')).status, 200);
    assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('refuses what it cannot read, each with an id and a sentence', async () => {
    const uuid = randomUUID();
    const cases: [unknown, number, string][] = [
      ['', 422, 'invalid_params'],
      ['{', 400, 'bad_request'],
      ['[]', 422, 'invalid_params'],
      ['null', 422, 'invalid_params'],
      [{ plan: 'essential-0' }, 422, 'invalid_params'],
      [{ uuid: 'no', plan: 'essential-0' }, 422, 'invalid_params'],
      [{ uuid: { a: 1 }, plan: 'essential-0' }, 422, 'invalid_params'],
      [{ uuid }, 422, 'invalid_params'],
      [{ uuid, plan: 7 }, 422, 'invalid_params'],
      [{ uuid, plan: 'essential-9' }, 422, 'plan_unknown'],
      [`"${'x'.repeat(1_100_000)}"`, 413, 'bad_request'],
    ];
    for (const [body, status, id] of cases) {
      const answer = await provider.call('POST', '/heroku/resources', body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body.id, id);
      assert.ok(answer.body.message);
    }
    assert.equal((await provider.deprovision('not-a-uuid')).status, 404);
    assert.equal((await provider.changePlan('%27', 'essential-0')).status, 404);
    assert.equal((await provider.call('PUT', `/heroku/resources/${uuid}`, '')).status, 422);
    assert.equal((await provider.call('GET', '/heroku/resources?limit=0')).status, 422);
    assert.equal((await provider.call('GET', '/heroku/resources?cursor=x')).status, 422);
    assert.equal((await provider.deprovision(uuid)).status, 404);
  });

  it('takes the fields and the media types that real platforms send', async () => {
    const uuid = randomUUID();
    const status = await new Promise((resolve, reject) => {
      const call = request(
        { port: provider.port, host: '127.0.0.1', method: 'POST', path: '/heroku/resources' },
        (response) => resolve(response.resume().statusCode),
      );
      call.on('error', reject);
      call.setHeader('authorization', basic(SLUG, PASSWORD));
      call.setHeader('accept', 'application/vnd.heroku-addons+json; version=3');
      call.setHeader('content-type', 'application/vnd.heroku-addons+json; version=3');
      call.end(
        JSON.stringify({
          uuid,
          plan: 'essential-1',
          oauth_grant: null,
          options: {},
          some_day: [1],
          name: null,
        }),
      );
    });
    assert.equal(status, 200);
    await provider.deprovision(uuid);
  });

  it('refuses options, since it has none, and what it refused can be asked for without them', async () => {
    const uuid = randomUUID();
    const ask = (options: object) =>
      provider.call('POST', '/heroku/resources', { uuid, plan: 'essential-0', options });
    for (const option of ['version', 'fork']) {
      const refused = await ask({ [option]: '7' });
      assert.equal(refused.status, 422);
      assert.equal(refused.body.id, 'option_unknown');
      assert.equal(refused.body.message, `There is no option "${option}": this service takes no options.`);
    }
    assert.equal((await ask({})).status, 200);
    assert.equal((await provider.deprovision(uuid)).status, 204);
  });

  it('lists what it has, page by page', async () => {
    const uuids: string[] = [];
    for (let i = 0; i < 5; i++) uuids.push((await provider.tenant()).uuid);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await provider.call(
        'GET',
        `/heroku/resources?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      assert.ok((page.body.resources ?? []).length <= 2);
      for (const one of page.body.resources ?? []) {
        assert.deepEqual(one, { id: one.uuid, uuid: one.uuid, plan: 'essential-0', state: 'ready' });
        seen.push(one.uuid);
      }
      cursor = page.body.next ?? null;
    }
    assert.deepEqual(seen, uuids);
    await Promise.all(uuids.map((uuid) => provider.deprovision(uuid)));
    assert.deepEqual((await provider.call('GET', '/heroku/resources')).body, { resources: [], next: null });
  });

  it('is there again after a kill, with what it had', async () => {
    const { uuid, url } = await provider.tenant();
    await provider.kill();
    provider = await bench.start({ SOUK_HOME: home, SOUK_LOG_LEVEL: 'debug' });
    assert.equal(urlIn(await provider.provision(uuid)), url);
    await rowsOf(url, 'SELECT 1');
    await provider.deprovision(uuid);
  });

  it('stops when its input ends, and its cluster with it', async () => {
    const other = await bench.home();
    const short = await bench.start({ SOUK_HOME: other });
    const { url } = await short.tenant();
    short.child.stdin?.end();
    assert.equal(await short.ended, 0);
    await assert.rejects(rowsOf(url, 'SELECT 1'), { code: 'ECONNREFUSED' });
  });

  it('keeps secrets out of its log and its tables', async () => {
    const { uuid, url } = await provider.tenant();
    const { password } = new URL(url);
    const log = await until('the request is in the log', async () => {
      const text = provider.lines.join('\n');
      return text.includes(uuid) && text;
    });
    const encoded = Buffer.from(`${SLUG}:${PASSWORD}`).toString('base64');
    for (const secret of [password, PASSWORD, encoded, new URL(await providerClusterUrl(home)).password])
      assert.ok(!log.includes(secret));
    const admin = new URL(await providerClusterUrl(home));
    admin.pathname = '/provider';
    const rows = await rowsOf<{ row: string }>(admin.href, 'SELECT r::text AS row FROM kit.resources r');
    assert.ok(rows.some(({ row }) => row.includes(uuid)));
    assert.ok(
      rows.every(
        ({ row }) => !row.includes(password) && !row.includes(Buffer.from(password).toString('hex')),
      ),
    );
    const keyFile = join(providerFolder(home), 'master-key');
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    assert.ok(!log.includes((await readFile(keyFile, 'utf8')).trim()));
    await provider.deprovision(uuid);
  });
});
