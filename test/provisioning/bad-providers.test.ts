import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { SYSTEM } from '../../src/accounts/actor.js';
import { ImportManifest } from '../../src/catalog/commands/import-manifest.js';
import { SetClientSecret } from '../../src/catalog/commands/set-client-secret.js';
import { Secret } from '../../src/kernel/secret.js';
import { ok } from '../support/api.js';
import {
  HastyProvider,
  RecyclingProvider,
  TemplateProvider,
  type HandWrittenProvider,
  type Loss,
} from '../support/bad-providers.js';
import { Operator } from '../support/operator.js';
import type { AddonBody, AppBody, AttachmentBody, ReleaseBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Partners who wrote their side by hand, with habits that are seen in the field (partner contract). */
describe('an add-on of a provider with bad habits', () => {
  const template = new TemplateProvider();
  const recycling = new RecyclingProvider();
  const hasty = new HastyProvider();
  const all: HandWrittenProvider[] = [template, recycling, hasty];
  let world: World;
  beforeAll(async () => {
    world = await World.start({ waits: { providerTimeoutMs: 600, leaseMs: 2_000, settleMs: 1_500 } });
    world.clock.freeze();
    recycling.platform = hasty.platform = world.config.publicUrl;
    for (const provider of all) {
      await provider.start();
      const { app } = world.broker;
      await app.get(ImportManifest).run(SYSTEM, provider.manifest, { bundled: true });
      await app.get(SetClientSecret).run(SYSTEM, provider.slug, new Secret(provider.clientSecret));
      ok(await world.api.patch(`/admin/inventories/${provider.slug}`, { removes_orphans: true }));
    }
  });
  afterAll(async () => {
    for (const provider of all) await provider.stop();
    await world.stop();
  });

  const show = async (id: string) => ok(await world.api.get<AddonBody>(`/addons/${id}`));
  const stateOf = async (id: string) => (await world.statesOf(id)).addon;
  const vars = async (app: AppBody) =>
    ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
  const countReleases = async (app: AppBody) =>
    ok(await world.api.get<ReleaseBody[]>(`/apps/${app.name}/releases`)).length;
  const destroy = async ({ app, id }: AddonBody) => {
    // Which operation is the newest is told by time.
    world.clock.advance(1);
    return ok(await world.api.delete<AddonBody>(`/apps/${app.name}/addons/${id}`, { confirm: app.name }));
  };

  /** Time in which inventories are compared, orphans are seen twice, and whatever rests has its next try. */
  afterEach(async () => {
    await until(async () => {
      await world.runUntilQuiet();
      for (const { slug } of all) {
        world.clock.advance(2 * MINUTE_MS);
        ok(await world.api.post(`/admin/inventories/${slug}/compare`));
      }
      await world.walkRounds();
      for (const provider of all)
        assert.deepEqual(provider.inventory, await liveAddonsOf(provider), `what ${provider.slug} holds`);
      assert.deepEqual(await openDifferences(), []);
    });
  });

  async function liveAddonsOf(provider: HandWrittenProvider): Promise<HandWrittenProvider['inventory']> {
    return world.database.query(
      `SELECT a.provider_id AS id, a.id AS uuid, p.slug AS plan
       FROM addons a JOIN plans p ON p.id = a.plan_id JOIN addon_services s ON s.id = a.addon_service_id
       WHERE a.state = 'provisioned' AND s.name = $1 ORDER BY a.provider_id`,
      [provider.slug],
    );
  }

  const openDifferences = () =>
    world.database.query(
      "SELECT kind, resource, addon_id FROM findings WHERE resolved_at IS NULL AND kind IN ('orphan', 'phantom')",
    );

  async function create(provider: HandWrittenProvider, app: AppBody): Promise<AddonBody> {
    const asked = await world.addAddon(app.name, `${provider.slug}:mini`);
    if (provider === hasty) {
      await until(async () => {
        await world.walkRounds();
        if ((await world.statesOf(asked.id)).operation !== 'waiting') world.clock.advance(1_000);
        assert.equal((await world.statesOf(asked.id)).operation, 'waiting');
      });
      await hasty.finish(asked.id);
    }
    await world.runUntilQuiet(3_000);
    const made = await show(asked.id);
    assert.equal(made.state, 'provisioned');
    return made;
  }

  const LOSSES: [string, string | null, Loss][] = [
    ['nothing lost', null, 'reset'],
    ...['POST', 'PUT', 'DELETE'].flatMap((method): [string, string, Loss][] => [
      [`the reply to its ${method} lost with the connection`, method, 'reset'],
      [`the reply to its ${method} not there in time`, method, 'silence'],
    ]),
  ];

  describe.each(all)('$slug', (provider) => {
    it.each(LOSSES)('lives its whole life with %s, beside one that stays', async (_what, method, loss) => {
      const app = await world.newApp();
      const second = await world.newApp();
      const staying = await create(provider, app);
      if (method !== null) provider.losing.set(method, loss);
      const addon = await create(provider, app);
      assert.notEqual(addon.provider_id, staying.provider_id);
      ok(
        await world.api.post<AttachmentBody>('/addon-attachments', {
          addon: addon.name,
          app: second.name,
          name: 'SHARED',
        }),
      );
      const before = await vars(second);
      assert.deepEqual(Object.keys(before), ['SHARED_URL']);

      if (provider === hasty) {
        const releases = await countReleases(second);
        await hasty.setConfig(addon.id, 'bad://rotated');
        await hasty.setConfig(addon.id, 'bad://rotated');
        assert.deepEqual(await vars(second), { SHARED_URL: 'bad://rotated' });
        assert.equal(await countReleases(second), releases + 1, 'the same config again is no release');
      }

      world.clock.advance(1);
      ok(await world.api.patch(`/apps/${app.name}/addons/${addon.name}`, { plan: `${provider.slug}:std` }));
      await world.runUntilQuiet(3_000);
      assert.equal((await show(addon.id)).plan.name, `${provider.slug}:std`);
      assert.equal(provider.inventory.find(({ id }) => id === addon.provider_id)?.plan, 'std');

      await destroy(addon);
      if (provider === hasty) await hasty.report(addon.id, 'deprovision');
      await world.runUntilQuiet(3_000);
      assert.equal(await stateOf(addon.id), 'deprovisioned');
      if (provider === hasty) {
        await hasty.finish(addon.id);
        await hasty.report(addon.id, 'deprovision');
        assert.equal(await stateOf(addon.id), 'deprovisioned', 'no call-back brings it back');
      }
      assert.equal(provider.losing.size, 0, 'the reply was lost');
      assert.deepEqual(await vars(second), {});
      assert.equal((await show(staying.id)).state, 'provisioned');
      assert.equal(Object.keys(await vars(app)).length, 1, 'what stays keeps its config');
      const { provider_id: heldId } = staying;
      assert.ok(provider.inventory.some(({ id, uuid }) => id === heldId && uuid === staying.id));
    });
  });

  it('that makes a resource for each repeated request keeps one of them', async () => {
    const app = await world.newApp();
    template.losing.set('POST', 'reset');
    const addon = await create(template, app);
    assert.equal(template.inventory.filter(({ uuid }) => uuid === addon.id).length, 2, 'there was a twin');
    await destroy(addon);
  });

  it('whose id is that of one being deleted is not taken along by the repeated delete', async () => {
    const app = await world.newApp();
    const first = await create(recycling, app);
    recycling.losing.set('DELETE', 'reset');
    await destroy(first);
    await until(() => assert.equal(recycling.losing.size, 0));
    // The first is gone there, and its number is free, but nobody here knows that yet.
    const second = await world.addAddon(app.name, 'recycling:mini');
    await world.runUntilQuiet(3_000);
    assert.equal(await stateOf(first.id), 'deprovisioned');
    assert.equal((await show(second.id)).state, 'provisioned');
    assert.ok(recycling.inventory.some(({ uuid }) => uuid === second.id));
    await destroy(second);
  });

  it('whose id is that of one being cleaned up is not taken along by the repeated delete', async () => {
    const app = await world.newApp();
    const first = await giveUp(app);
    recycling.losing.set('DELETE', 'reset');
    await until(async () => {
      await world.walkRounds();
      assert.equal(recycling.losing.size, 0);
    });
    assert.equal((await world.statesOf(first)).operation, 'cleaning');
    const second = await world.addAddon(app.name, 'recycling:mini');
    await world.runUntilQuiet(3_000);
    assert.equal((await world.statesOf(first)).operation, 'failed');
    assert.equal((await show(second.id)).state, 'provisioned');
    assert.ok(recycling.inventory.some(({ uuid }) => uuid === second.id));
    await destroy(second);
  });

  /** A creation whose answer named an id and was none otherwise, given up at its deadline. */
  async function giveUp(app: AppBody): Promise<string> {
    recycling.undeclared = true;
    const { id } = await world.addAddon(app.name, 'recycling:mini');
    recycling.undeclared = false;
    assert.equal((await world.statesOf(id)).operation, 'unsure');
    world.clock.advance(16 * MINUTE_MS);
    return id;
  }

  it.each([
    [
      'by an operator',
      async (id: string) => {
        const operator = new Operator(world);
        ok(await operator.abandon((await operator.operationOf(id)).id));
      },
      410,
    ],
    // By then its token is over as well.
    ['at its deadline', () => Promise.resolve(world.clock.advance(13 * HOUR_MS)), 401],
  ])(
    'that says gone while it is at work, and finishes then, keeps nothing of what was given up %s',
    async (_who, givesUp, status) => {
      const app = await world.newApp();
      const { id } = await world.addAddon(app.name, 'hasty:mini');
      await givesUp(id);
      await world.runUntilQuiet();
      assert.equal((await world.statesOf(id)).operation, 'failed');
      await hasty.finish(id);
      await hasty.finish(id);
      assert.deepEqual(new Set(hasty.told.slice(-6)), new Set([status]), 'no call-back brings it back');
      assert.equal(await stateOf(id), 'deprovisioned');
      assert.deepEqual(await vars(app), {});
      assert.ok(
        hasty.inventory.some(({ uuid }) => uuid === id),
        'what it made is left to the inventory',
      );
    },
  );

  it('that is told to delete while it is at work is asked only when it has finished', async () => {
    const app = await world.newApp();
    const { id } = await world.addAddon(app.name, 'hasty:mini');
    const asked = hasty.calls.length;
    assert.equal((await destroy(await show(id))).state, 'deprovisioning');
    await world.walkRounds();
    assert.deepEqual(hasty.calls.slice(asked), []);
    await hasty.finish(id);
    await world.runUntilQuiet();
    assert.deepEqual(hasty.calls.slice(asked), ['DELETE']);
    assert.equal(await stateOf(id), 'deprovisioned');
    assert.ok(!hasty.inventory.some(({ uuid }) => uuid === id));
  });
});
