import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { QueueBackend } from '../../src/kernel/config.js';
import { ok } from '../support/api.js';
import { assertNothingLeftOver } from '../support/fleet-checks.js';
import { Fleet, uniqueName, type FleetRole } from '../support/fleet.js';
import type { AddonBody } from '../support/resources.js';
import { until } from '../support/until.js';
import { CREATION, DELETION, PLAN_CHANGE } from './points.js';

/** Kills each process at each of its points, and engines in the middle of work; the queue is on `queue`. */
export function killEverywhere(queue: QueueBackend): void {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start(queue);
  });
  afterAll(() => fleet.stop());

  /** The process dies at its point; the queue may lose everything; then it is started again. */
  async function dieAndComeBack(role: FleetRole, flush: boolean): Promise<void> {
    const ending = await fleet.processes.get(role)?.ended();
    assert.equal(ending?.signal, 'SIGKILL');
    if (flush) await fleet.flushQueue();
    await fleet.restart(role);
  }

  // What a flush takes away, PostgreSQL's backend keeps with the truth itself.
  const flushes = queue === 'redis' ? [false, true] : [false];

  for (const flush of flushes)
    describe(flush ? 'and everything in Redis is lost' : 'and nothing else', () => {
      it.each(CREATION)('of the %s at %s: the creation ends the same', async (role, point) => {
        const app = uniqueName('crash');
        ok(await fleet.api.post('/apps', { name: app }));
        await fleet.restart(role, point);
        // The reconciler finds what its job was lost for: here, because nobody moves the outbox.
        const reconciles = point.startsWith('reconcile.');
        if (reconciles) await fleet.processes.get('relay')?.kill('SIGKILL');
        // The answer may be lost with the process that owes it; what counts is what the tables say.
        const answer = await fleet.api
          .post<AddonBody>(`/apps/${app}/addons`, { plan: 'souk-postgresql:essential-0' })
          .catch(() => null);
        await dieAndComeBack(role, flush);
        if (reconciles) await fleet.restart('relay');
        await fleet.quiet();
        const addons = ok(await fleet.api.get<AddonBody[]>(`/apps/${app}/addons`));
        if (answer !== null) assert.equal(addons.length, 1);
        assert.ok(addons.every(({ state }) => state === 'provisioned'));
        if (point === 'provision.request.before_commit') assert.equal(addons.length, 0);
        const config = ok(await fleet.api.get<Record<string, string>>(`/apps/${app}/config-vars`));
        assert.equal(Object.keys(config).length, addons.length);
        await assertNothingLeftOver(fleet);
      });

      it.each(PLAN_CHANGE)('of the %s at %s: the plan change ends the same', async (role, point) => {
        const app = uniqueName('crash');
        ok(await fleet.api.post('/apps', { name: app }));
        const addon = ok(
          await fleet.api.post<AddonBody>(`/apps/${app}/addons`, { plan: 'souk-postgresql:essential-0' }),
        );
        await fleet.quiet();
        await fleet.restart(role, point);
        const change = () =>
          fleet.api.patch<AddonBody>(`/apps/${app}/addons/${addon.name}`, {
            plan: 'souk-postgresql:essential-1',
          });
        const answer = await change().catch(() => null);
        await dieAndComeBack(role, flush);
        await fleet.quiet();
        // A client that got no answer asks again: what was done is done, and the same plan is no change.
        if (answer === null) ok(await change());
        await fleet.quiet();
        const [after] = ok(await fleet.api.get<AddonBody[]>(`/apps/${app}/addons`));
        assert.equal(after?.plan.name, 'souk-postgresql:essential-1');
        const charged = await fleet.query<{ slug: string; open: boolean }>(
          `SELECT slug, ended_at IS NULL AS open FROM addon_plan_periods pp JOIN plans p ON p.id = pp.plan_id
           WHERE addon_id = $1 ORDER BY began_at`,
          [addon.id],
        );
        assert.deepEqual(charged, [
          { slug: 'essential-0', open: false },
          { slug: 'essential-1', open: true },
        ]);
        await assertNothingLeftOver(fleet);
      });

      it.each(DELETION)('of the %s at %s: the deletion ends the same', async (role, point) => {
        const app = uniqueName('crash');
        ok(await fleet.api.post('/apps', { name: app }));
        const addon = ok(await fleet.api.post<AddonBody>(`/apps/${app}/addons`, { plan: 'souk-postgresql' }));
        await fleet.quiet();
        await fleet.restart(role, point);
        const answer = await fleet.api
          .delete<AddonBody>(`/apps/${app}/addons/${addon.name}`)
          .catch(() => null);
        await dieAndComeBack(role, flush);
        // A client that got no answer asks again.
        if (answer === null) await fleet.api.delete(`/apps/${app}/addons/${addon.name}`);
        await fleet.quiet();
        assert.deepEqual(ok(await fleet.api.get<AddonBody[]>(`/apps/${app}/addons`)), []);
        assert.deepEqual(ok(await fleet.api.get(`/apps/${app}/config-vars`)), {});
        await assertNothingLeftOver(fleet);
      });
    });

  it('of PostgreSQL under all processes, in the middle of many creations: all end', async () => {
    const app = uniqueName('restart');
    ok(await fleet.api.post('/apps', { name: app }));
    const creating = Array.from({ length: 12 }, () =>
      fleet.api.post<AddonBody>(`/apps/${app}/addons`, { plan: 'souk-postgresql' }),
    );
    await until(async () =>
      assert.ok((await fleet.query("SELECT 1 FROM operations WHERE state = 'calling'")).length > 0),
    );
    await fleet.restartPostgres();
    const answers = await Promise.all(creating);
    const log = fleet.processes.get('api')?.output;
    for (const { status } of answers) assert.ok(status === 201 || status === 503, `status ${status}\n${log}`);
    await until(async () => ok(await fleet.api.get('/account')));
    await fleet.quiet();
    const addons = ok(await fleet.api.get<AddonBody[]>(`/apps/${app}/addons`));
    assert.ok(addons.length >= answers.filter(({ status }) => status === 201).length);
    assert.ok(addons.every(({ state }) => state === 'provisioned'));
    await assertNothingLeftOver(fleet);
  });

  it('of the provider in the middle of creations and deletions: both sides agree in the end', async () => {
    const app = uniqueName('provider');
    ok(await fleet.api.post('/apps', { name: app }));
    const before = await Promise.all(
      Array.from({ length: 4 }, async () =>
        ok(await fleet.api.post<AddonBody>(`/apps/${app}/addons`, { plan: 'souk-postgresql' })),
      ),
    );
    await fleet.quiet();
    await Promise.all([
      ...Array.from({ length: 4 }, async () =>
        ok(await fleet.api.post(`/apps/${app}/addons`, { plan: 'souk-postgresql' })),
      ),
      ...before.map(async ({ name }) => ok(await fleet.api.delete(`/apps/${app}/addons/${name}`))),
    ]);
    await fleet.processes.get('providers')?.kill('SIGKILL');
    await fleet.restart('providers');
    await fleet.quiet();
    assert.equal(ok(await fleet.api.get<AddonBody[]>(`/apps/${app}/addons`)).length, 4);
    await assertNothingLeftOver(fleet);
  });

  it('of nobody, but 50 creations and 50 deletions at once: none is orphaned, doubled or stuck', async () => {
    const apps = Array.from({ length: 5 }, () => uniqueName('many'));
    for (const name of apps) ok(await fleet.api.post('/apps', { name }));
    const made = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        ok(await fleet.api.post<AddonBody>(`/apps/${apps[index % 5]}/addons`, { plan: 'souk-postgresql' })),
      ),
    );
    // Every second one is deleted while creations are still under way, the rest afterwards together with new creations.
    await Promise.all(
      made
        .filter((_, index) => index % 2 === 0)
        .map(async ({ app, name }) => ok(await fleet.api.delete(`/apps/${app.name}/addons/${name}`))),
    );
    await fleet.quiet(120_000);
    await assertNothingLeftOver(fleet);
    await Promise.all([
      ...made
        .filter((_, index) => index % 2 === 1)
        .map(async ({ app, name }) => ok(await fleet.api.delete(`/apps/${app.name}/addons/${name}`))),
      ...Array.from({ length: 25 }, async (_, index) =>
        ok(await fleet.api.post(`/apps/${apps[index % 5]}/addons`, { plan: 'souk-postgresql' })),
      ),
    ]);
    await fleet.quiet(120_000);
    const counts = await Promise.all(
      apps.map(async (name) => ok(await fleet.api.get<AddonBody[]>(`/apps/${name}/addons`)).length),
    );
    assert.deepEqual(counts, [5, 5, 5, 5, 5]);
    await assertNothingLeftOver(fleet);
  }, 300_000);
}
