import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assertRefused, ok, type Api } from '../../support/api.js';
import { World } from '../../support/world.js';
import { FREE_AND_PAID, LOOPBACK, moveTo, publish, push } from './support.js';

interface Plan {
  name: string;
}

let world: World;
let maker: Api;
let stranger: Api;
let invited: Api;
beforeAll(async () => {
  world = await World.start({ egressAllow: LOOPBACK });
  maker = await world.newAccount('maker@souk.test');
  stranger = await world.newAccount('stranger@souk.test');
  invited = await world.newAccount('Invited@souk.test');
});
afterAll(() => world.stop());

/** What an account sees of a service, and what each plan's installation gives. */
async function seen(api: Api, id: string, plans: string[]) {
  const app = await world.newApp(api);
  const listed = ok(await api.get<{ name: string }[]>('/addon-services', { range: 'name ..; max=1000' }));
  const shown = await api.get<Plan[]>(`/addon-services/${id}/plans`);
  const installs: Record<string, string> = {};
  for (const plan of plans) {
    const answer = await api.post<{ id: string; plan: { name: string } }>(`/apps/${app.name}/addons`, {
      plan: `${id}${plan}`,
    });
    installs[plan] = answer.status === 201 ? answer.body.plan.name : answer.body.id;
  }
  return {
    listed: listed.some(({ name }) => name === id),
    plans: shown.status === 200 ? shown.body.map(({ name }) => name) : shown.status,
    installs,
  };
}

const invite = (api: Api, id: string, email: string) =>
  api.post(`/api/v3/addons/${id}/invitations`, { email });

describe('the stages', () => {
  it('alpha is for makers, invited accounts and the operator, with free plans only', async () => {
    await publish(world, maker, 'acme-alpha', { plans: FREE_AND_PAID });
    ok(await invite(maker, 'acme-alpha', 'invited@Souk.test'));
    for (const api of [maker, invited, world.api])
      assert.deepEqual(await seen(api, 'acme-alpha', ['', ':free', ':small', ':none']), {
        listed: true,
        plans: ['acme-alpha:free'],
        installs: {
          // The default plan costs money: the service alone means the first that can be had.
          '': 'acme-alpha:free',
          ':free': 'acme-alpha:free',
          ':small': 'plan_not_free',
          ':none': 'not_found',
        },
      });
    assert.deepEqual(await seen(stranger, 'acme-alpha', ['', ':free', ':small', ':none']), {
      listed: false,
      plans: 404,
      installs: { '': 'not_found', ':free': 'not_found', ':small': 'not_found', ':none': 'not_found' },
    });
  });

  it('says of an alpha service to a stranger word for word what it says of none', async () => {
    await publish(world, maker, 'acme-secret', { plans: FREE_AND_PAID });
    const app = await world.newApp(stranger);
    const answers = async (id: string, plan: string) => {
      const all = [
        await stranger.get(`/addon-services/${id}`),
        await stranger.get(`/addon-services/${id}/plans`),
        await stranger.get(`/addon-services/${id}/plans/${plan}`),
        await stranger.post(`/apps/${app.name}/addons`, { plan: id }),
        await stranger.post(`/apps/${app.name}/addons`, { plan: `${id}:${plan}` }),
        await stranger.post(`/apps/${app.name}/addons`, { plan: `${id}:none` }),
      ];
      return all.map(({ status, body }) => [status, JSON.stringify(body).replaceAll(id, 'ID')]);
    };
    assert.deepEqual(await answers('acme-secret', 'free'), await answers('acme-nothing', 'free'));
    const { id } = ok(await maker.get<{ id: string }>('/addon-services/acme-secret'));
    const byId = await stranger.get(`/addon-services/${id}`);
    assertRefused(byId, 404, 'not_found');
    assert.doesNotMatch(JSON.stringify(byId.body), /acme-secret/);
  });

  it('beta is for everybody, with free plans only; ga sells; shutdown takes no new ones and keeps the old', async () => {
    await publish(world, maker, 'acme-life', { plans: FREE_AND_PAID });
    assert.equal(ok(await moveTo(world.api, 'acme-life', 'beta')).state, 'beta');
    const beta = {
      listed: true,
      plans: ['acme-life:free'],
      installs: { '': 'acme-life:free', ':small': 'plan_not_free' },
    };
    assert.deepEqual(await seen(stranger, 'acme-life', ['', ':small']), beta);
    assert.deepEqual(await seen(maker, 'acme-life', ['', ':small']), beta);

    ok(await moveTo(world.api, 'acme-life', 'ga'));
    assert.deepEqual(await seen(stranger, 'acme-life', ['', ':free']), {
      listed: true,
      plans: ['acme-life:free', 'acme-life:small'],
      installs: { '': 'acme-life:small', ':free': 'acme-life:free' },
    });
    const app = await world.newApp(stranger);
    const addon = await world.addAddon(app.name, 'acme-life:small', stranger);

    ok(await moveTo(world.api, 'acme-life', 'shutdown'));
    assert.deepEqual(await seen(stranger, 'acme-life', [':free', ':small']), {
      listed: false,
      plans: [],
      installs: { ':free': 'service_unavailable', ':small': 'service_unavailable' },
    });
    const kept = ok(
      await stranger.get<{ state: string; billed_price: { cents: number } }>(`/addons/${addon.name}`),
    );
    assert.deepEqual([kept.state, kept.billed_price.cents], ['provisioned', 500]);
    assert.ok('PG_URL' in ok(await stranger.get<object>(`/apps/${app.name}/config-vars`)));
    ok(await stranger.delete(`/apps/${app.name}/addons/${addon.name}`));
    assert.deepEqual((await world.statesOf(addon.id)).addon, 'deprovisioned');
  });

  it('go only where they can, by whom they may be moved, and each move is audited', async () => {
    await publish(world, maker, 'acme-moves', { plans: FREE_AND_PAID });
    assertRefused(await moveTo(world.api, 'acme-moves', 'ga'), 422, 'stage_move_refused');
    assertRefused(await moveTo(maker, 'acme-moves', 'beta'), 403, 'forbidden');
    assertRefused(await moveTo(world.api, 'acme-moves', 'gamma'), 422, 'invalid_params');
    assertRefused(await moveTo(world.api, 'acme-none', 'beta'), 404, 'not_found');
    ok(await moveTo(world.api, 'acme-moves', 'beta'));
    assert.equal(ok(await moveTo(world.api, 'acme-moves', 'beta')).state, 'beta');
    const back = await maker.patch<{ state: string }>('/api/v3/addons/acme-moves', { state: 'alpha' });
    assert.equal(ok(back).state, 'alpha');
    assert.equal((await seen(stranger, 'acme-moves', [])).plans, 404);
    const moves = await world.database.query<{ details: object; actor_name: string }>(
      "SELECT details, actor_name FROM audit_events WHERE action = 'service.stage_moved' AND details->>'service' = 'acme-moves' ORDER BY id",
    );
    assert.deepEqual(
      moves.map(({ details, actor_name }) => [details, actor_name]),
      [
        [{ service: 'acme-moves', from: 'alpha', to: 'beta', as: 'operator' }, 'operator@souk.test'],
        [{ service: 'acme-moves', from: 'beta', to: 'alpha', as: 'maker' }, 'maker@souk.test'],
      ],
    );
  });

  it('of many moves at once one is made', async () => {
    await publish(world, maker, 'acme-moved-once', { plans: FREE_AND_PAID });
    await Promise.all([1, 2, 3, 4].map(() => moveTo(world.api, 'acme-moved-once', 'beta')));
    const moves = await world.database.query(
      "SELECT 1 FROM audit_events WHERE action = 'service.stage_moved' AND details->>'service' = 'acme-moved-once'",
    );
    assert.equal(moves.length, 1);
  });

  it('refuse a public stage in which there would be nothing to install, and a push does not change a stage', async () => {
    const { contents } = await publish(world, maker, 'acme-shelf', {
      plans: [{ id: 'small', price: { cents: 5 } }],
    });
    assert.deepEqual((await seen(maker, 'acme-shelf', [''])).installs, { '': 'acme-shelf:test' });
    assertRefused(await moveTo(world.api, 'acme-shelf', 'beta'), 422, 'stage_move_refused');
    const next = ok(await push(maker, 'acme-shelf', { ...contents, plans: FREE_AND_PAID })).contents;
    ok(await moveTo(world.api, 'acme-shelf', 'beta'));
    ok(await push(maker, 'acme-shelf', { ...next, name: 'Renamed' }));
    assert.equal(ok(await maker.get<{ state: string }>('/addon-services/acme-shelf')).state, 'beta');
  });
});

describe('invitations', () => {
  it('are made, listed, repeated without effect and taken back; what was installed stays', async () => {
    await publish(world, maker, 'acme-invites');
    const app = await world.newApp(invited);
    assertRefused(await invited.post(`/apps/${app.name}/addons`, { plan: 'acme-invites' }), 404, 'not_found');
    await Promise.all([1, 2, 3].map(() => invite(maker, 'acme-invites', 'invited@souk.test')));
    ok(await invite(maker, 'acme-invites', 'nobody-yet@souk.test'));
    const emails = async () =>
      ok(await maker.get<{ email: string }[]>('/api/v3/addons/acme-invites/invitations')).map(
        ({ email }) => email,
      );
    assert.deepEqual(await emails(), ['invited@souk.test', 'nobody-yet@souk.test']);
    const addon = await world.addAddon(app.name, 'acme-invites', invited);
    const later = await world.newAccount('nobody-yet@souk.test');
    ok(await later.get('/addon-services/acme-invites'));
    ok(await maker.delete('/api/v3/addons/acme-invites/invitations/Invited@souk.test'));
    assert.deepEqual(await emails(), ['nobody-yet@souk.test']);
    assertRefused(
      await maker.delete('/api/v3/addons/acme-invites/invitations/Invited@souk.test'),
      404,
      'not_found',
    );
    assertRefused(await invited.get('/addon-services/acme-invites'), 404, 'not_found');
    assert.equal(ok(await invited.get<{ state: string }>(`/addons/${addon.name}`)).state, 'provisioned');
    assertRefused(await invite(maker, 'acme-invites', 'no address'), 422, 'invalid_params');
    assertRefused(await invite(invited, 'acme-invites', 'a@souk.test'), 404, 'not_found');
  });

  it('open the plans that are for the invited, and hidden plans are had by their name', async () => {
    await publish(world, maker, 'acme-doors', {
      plans: [
        { id: 'free', price: { cents: 0 } },
        { id: 'early', price: { cents: 0 }, availability: 'invited' },
        { id: 'quiet', price: { cents: 0 }, availability: 'hidden' },
      ],
    });
    ok(await moveTo(world.api, 'acme-doors', 'beta'));
    ok(await invite(maker, 'acme-doors', 'invited@souk.test'));
    assert.deepEqual(await seen(stranger, 'acme-doors', [':early', ':quiet']), {
      listed: true,
      plans: ['acme-doors:free'],
      installs: { ':early': 'not_found', ':quiet': 'acme-doors:quiet' },
    });
    assert.deepEqual(await seen(invited, 'acme-doors', [':early']), {
      listed: true,
      plans: ['acme-doors:free', 'acme-doors:early'],
      installs: { ':early': 'acme-doors:early' },
    });
  });
});
