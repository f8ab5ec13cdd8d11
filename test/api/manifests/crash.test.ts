import assert from 'node:assert/strict';
import { afterAll, beforeAll, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import { World } from '../../support/world.js';
import { CrashPoints } from '../../../src/kernel/crash-points.js';
import { FREE_AND_PAID, LOOPBACK, manifestOf, moveTo, publish, pull, push } from './support.js';

/** Fails once at one point, as a process that dies there would: what was sent is never answered. */
class FailOnce extends CrashPoints {
  at: string | null = null;

  override reach(point: string): void {
    if (point !== this.at) return;
    this.at = null;
    throw new Error(`died at ${point}`);
  }
}

const points = new FailOnce();
let world: World;
let maker: Api;
beforeAll(async () => {
  world = await World.start({ role: 'api', egressAllow: LOOPBACK, crashPoints: points });
  maker = await world.newAccount();
});
afterAll(() => world.stop());

/** How often each thing that a push writes is there. */
async function rowsOf(id: string) {
  const [row] = await world.database.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM manifest_revisions r WHERE r.addon_service_id = s.id) AS revisions,
            (SELECT count(*)::int FROM service_makers m WHERE m.addon_service_id = s.id) AS makers,
            (SELECT count(*)::int FROM plans p WHERE p.addon_service_id = s.id) AS plans,
            (SELECT count(*)::int FROM audit_events a WHERE a.subject_id = s.id::text AND a.action = 'manifest.pushed') AS audited
     FROM addon_services s WHERE s.name = $1`,
    [id],
  );
  return row;
}

it.each(['before_commit', 'after_commit'])(
  'a first push that dies %s ends as one that does not',
  async (moment) => {
    const id = `acme-first-${moment.replace('_', '-')}`;
    const manifest = manifestOf(world, id, { plans: FREE_AND_PAID });
    points.at = `manifest.push.${moment}`;
    assertRefused(await push(maker, id, manifest), 500, 'internal_error');
    assert.deepEqual(
      await rowsOf(id),
      moment === 'before_commit' ? undefined : { revisions: 1, makers: 1, plans: 2, audited: 1 },
    );
    const { contents } = ok(await push(maker, id, manifest));
    assert.deepEqual(await rowsOf(id), { revisions: 1, makers: 1, plans: 2, audited: 1 });
    assert.deepEqual(await pull(maker, id), contents);
  },
);

it('a client secret whose only showing was lost is set anew by a push', async () => {
  const manifest = manifestOf(world, 'acme-lost');
  points.at = 'manifest.push.after_commit';
  assertRefused(await push(maker, 'acme-lost', manifest), 500, 'internal_error');
  const secretOf = () =>
    world.database.query('SELECT client_secret_ciphertext FROM providers WHERE slug = $1', ['acme-lost']);
  const before = await secretOf();
  const { contents } = ok(await push(maker, 'acme-lost', manifest));
  assert.deepEqual(await secretOf(), before);
  ok(
    await push(maker, 'acme-lost', {
      ...contents,
      api: { ...contents.api, client_secret: 'my-new-client-secret' },
    }),
  );
  assert.notDeepEqual(await secretOf(), before);
  assert.equal((await rowsOf('acme-lost'))?.revisions, 1);
});

it.each(['before_commit', 'after_commit'])(
  'a later push that dies %s ends as one that does not',
  async (moment) => {
    const id = `acme-next-${moment.replace('_', '-')}`;
    const { contents } = await publish(world, maker, id, { plans: FREE_AND_PAID });
    const next = { ...contents, plans: [{ id: 'other', price: { cents: 0 } }] };
    points.at = `manifest.push.${moment}`;
    assertRefused(await push(maker, id, next), 500, 'internal_error');
    const again = ok(await push(maker, id, next)).contents;
    assert.deepEqual(again, { ...next, $base: 2 });
    assert.deepEqual(await rowsOf(id), { revisions: 2, makers: 1, plans: 1, audited: 2 });
  },
);

it.each(['before_commit', 'after_commit'])(
  'a move that dies %s ends as one that does not',
  async (moment) => {
    const id = `acme-move-${moment.replace('_', '-')}`;
    await publish(world, maker, id);
    points.at = `manifest.move_stage.${moment}`;
    assertRefused(await moveTo(world.api, id, 'beta'), 500, 'internal_error');
    assert.equal(ok(await moveTo(world.api, id, 'beta')).state, 'beta');
    const moves = await world.database.query(
      "SELECT 1 FROM audit_events WHERE action = 'service.stage_moved' AND details->>'service' = $1",
      [id],
    );
    assert.equal(moves.length, 1);
  },
);

it.each(['before_commit', 'after_commit'])(
  'an invitation that dies %s ends as one that does not',
  async (moment) => {
    const id = `acme-guest-${moment.replace('_', '-')}`;
    await publish(world, maker, id);
    const path = `/api/v3/addons/${id}/invitations`;
    points.at = `manifest.invite.${moment}`;
    assertRefused(await maker.post(path, { email: 'a@souk.test' }), 500, 'internal_error');
    ok(await maker.post(path, { email: 'a@souk.test' }));
    assert.equal(ok(await maker.get<object[]>(path)).length, 1);
    points.at = `manifest.withdraw_invitation.${moment}`;
    assertRefused(await maker.delete(`${path}/a@souk.test`), 500, 'internal_error');
    const again = await maker.delete(`${path}/a@souk.test`);
    assert.equal(again.status, moment === 'before_commit' ? 204 : 404);
    assert.deepEqual(ok(await maker.get<object[]>(path)), []);
  },
);
