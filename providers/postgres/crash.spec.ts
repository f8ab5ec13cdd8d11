import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { PostgresCluster } from '../engines/index.js';
import { listTenants } from './inventory.js';
import { type Answer, Bench, type ProviderProcess, rowsOf, until, urlIn } from './spec-support.js';

/** Each point that a provision passes, in order. */
const PROVISION_POINTS = [
  'provision.before-intent',
  'provision.after-intent',
  'create.after-roles',
  'create.after-database',
  'create.after-open',
  'provision.before-ready',
  'provision.after-ready',
];

/** Each point that a deprovision passes, in order. */
const DEPROVISION_POINTS = [
  'deprovision.before-intent',
  'deprovision.after-intent',
  'destroy.after-lock-out',
  'destroy.after-database',
  'destroy.after-roles',
  'deprovision.before-deleted',
  'deprovision.after-deleted',
];

describe('a provider that is killed', () => {
  const bench = new Bench();
  let cluster: PostgresCluster;
  let env: Record<string, string>;
  /** A second program of the same provider: it lives on, and is asked again what the killed one was asked. */
  let provider: ProviderProcess;

  beforeAll(async () => {
    const home = await bench.home();
    cluster = await bench.cluster(home);
    env = { SOUK_HOME: home, SOUK_POSTGRES_CLUSTER_URL: cluster.adminUrl, SOUK_PROVIDER_MASTER_KEY: 'a key' };
    provider = await bench.start(env);
  });
  afterAll(() => bench.clear());

  /** The program dies at the point while it answers; what the caller saw is what a broken connection shows. */
  async function dieAt(point: string, ask: (dying: ProviderProcess) => Promise<Answer>): Promise<void> {
    const dying = await bench.start({ ...env, SOUK_CRASH_AT: point });
    await assert.rejects(ask(dying), `it passed ${point} and lived`);
    assert.equal(await dying.ended, 'SIGKILL');
  }

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await listTenants(cluster.adminUrl), { databases: [], roles: [] });
  }

  it.each(PROVISION_POINTS)('at %s ends right when the provision is repeated', async (point) => {
    const uuid = randomUUID();
    await dieAt(point, (dying) => dying.provision(uuid));
    const first = await provider.provision(uuid);
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.deepEqual((await provider.provision(uuid)).body, first.body);
    await rowsOf(urlIn(first), 'CREATE TABLE t (a int)');
    const { databases, roles } = await listTenants(cluster.adminUrl);
    assert.deepEqual([databases.length, roles.length], [1, 3]);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    await assertNothingLeft();
  });

  it.each(PROVISION_POINTS)('at %s leaves nothing when it is deleted instead', async (point) => {
    const uuid = randomUUID();
    await dieAt(point, (dying) => dying.provision(uuid));
    const { status } = await provider.deprovision(uuid);
    assert.equal(status, point === 'provision.before-intent' ? 404 : 204);
    assert.equal((await provider.provision(uuid)).status, 410);
    await assertNothingLeft();
  });

  it.each(DEPROVISION_POINTS)(
    'at %s is finished when the delete is repeated, or by itself',
    async (point) => {
      const { uuid } = await provider.tenant();
      const other = await provider.tenant();
      await dieAt(point, (dying) => dying.deprovision(uuid));
      const { status } = await provider.deprovision(uuid);
      // The other program may have finished it already.
      assert.ok([204, 410].includes(status), String(status));
      assert.equal((await provider.provision(uuid)).status, 410);
      await rowsOf(other.url, 'SELECT 1');
      assert.equal((await provider.deprovision(other.uuid)).status, 204);
      await assertNothingLeft();
    },
  );

  it('in the middle of a delete is no reason to leave it so: nobody has to ask again', async () => {
    const { uuid } = await provider.tenant();
    await dieAt('destroy.after-lock-out', (dying) => dying.deprovision(uuid));
    await until('nothing is left', async () => (await listTenants(cluster.adminUrl)).roles.length === 0);
    await assertNothingLeft();
    assert.equal((await provider.deprovision(uuid)).status, 410);
  });

  it.each(['change-plan.before-commit', 'change-plan.after-commit'])(
    'at %s ends right when the plan change is repeated',
    async (point) => {
      const { uuid, url } = await provider.tenant();
      await dieAt(point, (dying) => dying.changePlan(uuid, 'essential-1'));
      assert.equal((await provider.changePlan(uuid, 'essential-1')).status, 200);
      assert.equal(urlIn(await provider.provision(uuid)), url);
      assert.equal(
        (await provider.call('GET', '/heroku/resources')).body.resources?.[0]?.plan,
        'essential-1',
      );
      assert.equal((await provider.deprovision(uuid)).status, 204);
    },
  );

  it('is one provider in two programs: the same uuid gives the same resource', async () => {
    const [one, two] = [provider, await bench.start(env)] as const;
    const uuid = randomUUID();
    const answers = await Promise.all([one, two, one, two].map((either) => either.provision(uuid)));
    const urls = new Set(answers.filter(({ status }) => status === 200).map(urlIn));
    assert.equal(urls.size, 1);
    assert.equal((await listTenants(cluster.adminUrl)).databases.length, 1);
    const deletes = await Promise.all([one, two].map((either) => either.deprovision(uuid)));
    assert.deepEqual(deletes.map(({ status }) => status).sort(), [204, 410]);
    await assertNothingLeft();
    await two.stop();
  });

  describe('in the middle of a change of quota', () => {
    // An empty database is over the one and under the other.
    const over = { SOUK_QUOTA_INTERVAL_MS: '100', SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: '5000000' };
    const under = { ...over, SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0: '500000000' };
    let uuid: string;
    let url: string;

    beforeAll(async () => {
      ({ uuid, url } = await provider.tenant());
      await rowsOf(url, `CREATE TABLE t (a int); INSERT INTO t VALUES (1)`);
      // Its plan is larger: it would take back what the others do.
      await provider.stop();
    });
    afterAll(async () => {
      provider = await bench.start(env);
      await provider.deprovision(uuid);
    });

    const attempt = (sql: string): Promise<string> =>
      rowsOf(url, sql).then(
        () => 'done',
        (error: { code?: string }) => error.code ?? 'failed',
      );

    async function dieInRound(point: string, quota: Record<string, string>): Promise<void> {
      const dying = await bench.start({ ...env, ...quota, SOUK_CRASH_AT: point });
      assert.equal(await dying.ended, 'SIGKILL');
    }

    it.each(['write-stop.after-close', 'write-stop.after-forbid', 'write-stop.after-triggers'])(
      'at %s keeps the database closed until the next round stops its writes',
      async (point) => {
        await dieInRound(point, over);
        // Too many connections: the limit is 0.
        assert.equal(await attempt('SELECT 1'), '53300');
        const next = await bench.start({ ...env, ...over });
        await until('it can be read', async () => (await attempt('SELECT * FROM t')) === 'done');
        assert.match(await attempt('INSERT INTO t VALUES (2)'), /^(42501|53100)$/);
        await next.stop();
        const lifting = await bench.start({ ...env, ...under });
        await until('writes go on', async () => (await attempt('INSERT INTO t VALUES (2)')) === 'done');
        await lifting.stop();
      },
    );

    it.each(['write-lift.after-close', 'write-lift.after-triggers'])(
      'at %s keeps the database closed until the next round opens it',
      async (point) => {
        const stopping = await bench.start({ ...env, ...over });
        await until('writes are stopped', async () =>
          /42501|53100/.test(await attempt('INSERT INTO t VALUES (3)')),
        );
        await stopping.stop();
        await dieInRound(point, under);
        assert.equal(await attempt('SELECT 1'), '53300');
        const next = await bench.start({ ...env, ...under });
        await until('writes go on', async () => (await attempt('INSERT INTO t VALUES (3)')) === 'done');
        assert.equal(await attempt('CREATE TABLE u (a int); DROP TABLE u'), 'done');
        await next.stop();
      },
    );

    it('can be deleted all the same', async () => {
      const making = await bench.start({ ...env, ...under });
      // With room enough, so that the other one is the only one whose quota changes.
      assert.equal((await making.changePlan(uuid, 'essential-1')).status, 200);
      const other = await making.tenant();
      await making.stop();
      await dieInRound('write-stop.after-forbid', over);
      await assert.rejects(rowsOf(other.url, 'SELECT 1'), { code: '53300' });
      assert.equal(await attempt('INSERT INTO t VALUES (4)'), 'done');

      const deleting = await bench.start({ ...env, ...under, SOUK_QUOTA_INTERVAL_MS: '86400000' });
      assert.equal((await deleting.deprovision(other.uuid)).status, 204);
      const { databases } = await listTenants(cluster.adminUrl);
      assert.deepEqual(databases, [new URL(url).pathname.slice(1)]);
      await deleting.stop();
    });
  });
});
