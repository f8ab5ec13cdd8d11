import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { CrashPoints } from '../../src/kernel/crash-points.js';
import { assertRefused, ok } from '../support/api.js';
import type { AppBody } from '../support/resources.js';
import { Operator } from '../support/operator.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

interface FindingBody {
  id: string;
  kind: string;
  addon: { id: string } | null;
  provider: { id: string; resource: string | null } | null;
  monthly_cost: { cents: number; currency: string } | null;
  removal: { attempts: number; last_error: string | null } | null;
}

const MINUTE_MS = 60_000;
const SOUK = { default_attachment: 'DATABASE', inventory: true };

describe('the inventory of a provider', () => {
  let world: World;
  let app: AppBody;
  beforeEach(async () => {
    world = await World.start({ waits: { providerTimeoutMs: 1_000, leaseMs: 5_000 } });
    await world.importManifest({ souk: SOUK });
    world.clock.freeze();
    app = await world.newApp();
  });
  afterEach(() => world.stop());

  const findings = async () => ok(await world.api.get<FindingBody[]>('/admin/findings'));
  const compare = async () =>
    ok(
      await world.api.post<{ error: string | null; listed: number | null }>('/admin/inventories/pg/compare'),
    );
  const remedy = (id: string) => world.api.post(`/admin/findings/${id}/remedy`, { why: 'seen by hand' });
  /** Past the time for which what ended may still be in a list. */
  const settle = () => world.clock.advance(2 * MINUTE_MS);

  async function orphan(plan = 'std'): Promise<{ uuid: string; finding: FindingBody }> {
    const uuid = randomUUID();
    world.provider.tamper(uuid, plan);
    settle();
    await compare();
    const finding = (await findings()).find(({ provider }) => provider?.resource === uuid);
    assert.ok(finding !== undefined);
    return { uuid, finding };
  }

  it('is as our add-ons are, whatever the ids are', async () => {
    await world.addAddon(app.name);
    world.provider.idsOfItsOwn = true;
    const own = await world.addAddon(app.name);
    world.provider.idsOfItsOwn = false;
    world.provider.inventory = () => ({
      resources: world.provider
        .liveResources()
        .map((uuid) => ({ id: uuid === own.id ? `own-${uuid}` : uuid, uuid, plan: 'mini' })),
    });
    settle();
    assert.deepEqual(await compare().then(({ error, listed }) => ({ error, listed })), {
      error: null,
      listed: 2,
    });
    assert.deepEqual(await findings(), []);
  });

  it('shows an orphan once, with what it costs, and an operator has it removed', async () => {
    const { uuid, finding } = await orphan();
    assert.equal(finding.kind, 'orphan');
    assert.deepEqual(finding.monthly_cost, { cents: 5_000, currency: 'USD' });
    await compare();
    assert.equal((await findings()).length, 1);
    world.provider.onDeprovision({ status: 500 });
    assert.deepEqual(
      (await Promise.all([remedy(finding.id), remedy(finding.id)])).map(({ status }) => status),
      [202, 202],
    );
    await until(async () => assert.equal((await findings())[0]?.removal?.last_error, 'status 500'));
    assert.deepEqual(world.provider.liveResources(), [uuid]);
    settle();
    await world.walkRounds();
    await until(async () => assert.deepEqual(await findings(), []));
    assert.deepEqual(world.provider.liveResources(), []);
    assert.deepEqual(world.provider.callsOf(uuid), ['deprovision', 'deprovision']);
    assertRefused(await remedy(finding.id), 404, 'not_found');
  });

  it('has orphans removed without a word once two comparisons have seen them, where that is wished for', async () => {
    ok(await world.api.patch('/admin/inventories/pg', { removes_orphans: true }));
    const { uuid } = await orphan();
    assert.deepEqual(world.provider.callsOf(uuid), []);
    settle();
    await compare();
    await until(async () => assert.deepEqual(world.provider.liveResources(), []));
    await until(async () => assert.deepEqual(await findings(), []));
  });

  it('leaves a resource alone that an add-on has by the time of its removal', async () => {
    const { uuid, finding } = await orphan();
    // Its provider gives the orphan's name to a new add-on's resource.
    world.provider.onProvision({ status: 201, body: { id: uuid, config: { PG_URL: 'postgres://h:1/d' } } });
    const addon = await world.addAddon(app.name);
    ok(await remedy(finding.id));
    await until(async () => assert.deepEqual(await findings(), []));
    assert.deepEqual(world.provider.callsOf(uuid), []);
    assert.equal((await world.statesOf(addon.id)).addon, 'provisioned');
  });

  it('shows an add-on that the provider does not list, and an operator has it deleted', async () => {
    const addon = await world.addAddon(app.name);
    world.provider.tamper(addon.id, null);
    await compare();
    assert.deepEqual(await findings(), [], 'it was made too short a time ago to be missed');
    settle();
    await compare();
    const [finding] = await findings();
    assert.deepEqual(
      [finding?.kind, finding?.addon?.id, finding?.monthly_cost?.cents],
      ['phantom', addon.id, 500],
    );
    ok(await remedy(finding?.id ?? ''));
    await world.runUntilQuiet();
    assert.equal((await world.statesOf(addon.id)).addon, 'deprovisioned');
    assert.deepEqual(await findings(), []);
  });

  it('closes a finding whose difference is gone', async () => {
    const { uuid } = await orphan();
    world.provider.tamper(uuid, null);
    await compare();
    assert.deepEqual(await findings(), []);
  });

  it('is not asked for, and nothing is removed, while its provider is paused', async () => {
    const operator = new Operator(world);
    const { uuid, finding } = await orphan();
    const listed: number[] = [];
    world.provider.inventory = () => {
      listed.push(1);
      return { resources: world.provider.liveResources().map((id) => ({ id, uuid: id })) };
    };
    const pause = await operator.pause({ service: 'pg' }, 'new disks');
    assert.match(String((await compare()).error), /paused/);
    ok(await remedy(finding.id));
    settle();
    await world.walkRounds();
    assert.deepEqual([listed, world.provider.callsOf(uuid)], [[], []]);
    await operator.resume(pause);
    await until(async () => {
      settle();
      await world.walkRounds();
      assert.deepEqual(world.provider.liveResources(), []);
      assert.deepEqual(await findings(), []);
    });
  });

  it('has nothing removed by itself that a person has closed, nor while a name at the provider is not known', async () => {
    const { uuid, finding } = await orphan();
    ok(await world.api.post(`/admin/findings/${finding.id}/close`, { reason: 'it is used by hand' }));
    ok(await world.api.patch('/admin/inventories/pg', { removes_orphans: true }));
    const other = randomUUID();
    world.provider.tamper(other, 'mini');
    world.provider.onProvision({ status: 202, body: {} });
    const waiting = await world.addAddon(app.name);
    for (const _round of [1, 2, 3]) {
      settle();
      await compare();
    }
    assert.deepEqual([world.provider.callsOf(uuid), world.provider.callsOf(other)], [[], []]);
    ok(await world.api.delete(`/apps/${app.name}/addons/${waiting.id}`));
    world.clock.advance(13 * 60 * MINUTE_MS);
    await world.runUntilQuiet();
    await until(async () => {
      settle();
      await compare();
      await world.walkRounds();
      assert.deepEqual(world.provider.liveResources(), [uuid]);
    });
  });

  it('shows a second resource of one add-on', async () => {
    const addon = await world.addAddon(app.name);
    settle();
    world.provider.inventory = () => ({
      resources: [
        { id: addon.id, uuid: addon.id, plan: 'mini' },
        { id: 'twin', uuid: addon.id, plan: 'nowhere' },
      ],
    });
    await compare();
    const [finding, ...more] = await findings();
    assert.deepEqual(
      [finding?.kind, finding?.provider?.resource, finding?.monthly_cost],
      ['orphan', 'twin', null],
    );
    assert.deepEqual(more, []);
  });

  it('shows what a provider kept though it confirmed the delete', async () => {
    const addon = await world.addAddon(app.name);
    world.provider.onDeprovision({ status: 204, body: '' });
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.id}`));
    await world.runUntilQuiet();
    settle();
    await compare();
    const [finding] = await findings();
    assert.equal(finding?.provider?.resource, addon.id);
    ok(await remedy(finding?.id ?? ''));
    await until(async () => assert.deepEqual(world.provider.liveResources(), []));
  });

  it.each([
    ['no JSON', 'what?'],
    ['no list', { resources: null }],
    ['a circle', { resources: [], next: '1' }],
  ])('proves nothing when the answer is %s', async (_case, answer) => {
    await world.addAddon(app.name);
    const { finding } = await orphan();
    world.provider.inventory = () => answer;
    assert.notEqual((await compare()).error, null);
    assert.deepEqual(
      (await findings()).map(({ id }) => id),
      [finding.id],
    );
    world.provider.inventory = null;
    assert.equal((await compare()).error, null);
  });

  it('is compared by the rounds, and not again before its time; many at once find each thing once', async () => {
    const uuid = randomUUID();
    world.provider.tamper(uuid, 'mini');
    settle();
    await world.walkRounds();
    await until(async () => assert.equal((await findings()).length, 1));
    await Promise.all([compare(), compare(), compare(), compare()]);
    assert.equal((await findings()).length, 1);
  });

  it('is not asked for where the manifest does not offer it', async () => {
    await world.importManifest();
    assertRefused(await world.api.post('/admin/inventories/pg/compare'), 404, 'inventory_not_found');
    assert.deepEqual(ok(await world.api.get('/admin/inventories')), []);
    const other = await world.newAccount();
    assertRefused(await other.get('/admin/inventories'), 403, 'forbidden');
  });
});

/** Dies once at a named point, as far as that can be had inside of one process: the work there ends with an error. */
class DieOnce extends CrashPoints {
  point: string | null = null;
  died = 0;
  override reach(point: string): void {
    if (point !== this.point) return;
    this.point = null;
    this.died += 1;
    throw new Error(`died at ${point}`);
  }
}

describe('the removal of an orphan', () => {
  it.each(
    ['inventory.record', 'finding.remedy', 'orphan.claim', 'orphan.record', 'reconcile.inventories'].flatMap(
      (step) => [`${step}.before_commit`, `${step}.after_commit`],
    ),
  )('ends the same when the process dies at %s', async (point) => {
    const crashPoints = new DieOnce();
    const world = await World.start({ crashPoints, waits: { providerTimeoutMs: 1_000, leaseMs: 2_000 } });
    try {
      await world.importManifest({ souk: SOUK });
      const uuid = randomUUID();
      world.provider.tamper(uuid, 'mini');
      crashPoints.point = point;
      const open = async () => ok(await world.api.get<FindingBody[]>('/admin/findings'));
      await until(async () => {
        // Past every lease, every wait and the time of the next comparison.
        world.clock.advance(16 * MINUTE_MS);
        await world.walkRounds();
        for (const { id } of await open())
          await world.api.post(`/admin/findings/${id}/remedy`, { why: 'an orphan' });
        assert.deepEqual(world.provider.liveResources(), []);
        assert.deepEqual(await open(), []);
      });
      assert.equal(crashPoints.died, 1);
      const rows = await world.database.query(
        "SELECT created_at, resolved_at, removal_attempts, removal_due_at, removal_error, detail FROM findings WHERE kind = 'orphan'",
      );
      assert.equal(
        rows.length,
        1,
        JSON.stringify([rows, world.provider.calls.map((c) => c.verb), world.clock.now()]),
      );
    } finally {
      await world.stop();
    }
  });
});
