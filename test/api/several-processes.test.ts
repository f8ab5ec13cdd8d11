import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { freePort } from '../../providers/engines/index.js';
import { createLogger } from '../../src/kernel/log.js';
import { startBroker, type Broker } from '../../src/roots/broker.js';
import { Api, assertRefused, ok } from '../support/api.js';
import { until } from '../support/until.js';
import { World } from '../support/world.js';

/** Two API processes on one database, as operators run them. */
let world: World;
let second: Broker;
let secondUrl: string;
beforeAll(async () => {
  world = await World.start();
  const port = await freePort();
  secondUrl = `http://127.0.0.1:${port}`;
  const config = { ...world.config, port, publicUrl: secondUrl, role: 'api' as const };
  second = await startBroker({ config, log: createLogger('silent'), clock: world.clock });
});
afterAll(async () => {
  await second.stop();
  await world.stop();
});

it('a process without a worker shows the gauges as the database has them', async () => {
  const alone = await World.start({ role: 'api', waits: { settleMs: 0 } });
  try {
    const app = await alone.newApp();
    assert.match((await alone.anonymous.get<string>('/metrics')).body, /^souk_outbox_rows 0$/m);
    await alone.addAddon(app.name);
    await until(async () => {
      const text = (await alone.anonymous.get<string>('/metrics')).body;
      assert.match(text, /^souk_outbox_rows [1-9]/m);
      assert.match(text, /^souk_operations_open\{type="provision",state="\w+"\} 1$/m);
    }, 10_000);
  } finally {
    await alone.stop();
  }
});

describe('a token that is remembered', () => {
  const newToken = async () =>
    ok(await world.api.post<{ id: string; access_token: { token: string } }>('/oauth/authorizations', {}));

  it('stops working in every process when one revokes it', async () => {
    const made = await newToken();
    const here = new Api(world.config.publicUrl, made.access_token.token);
    const there = new Api(secondUrl, made.access_token.token);
    for (const api of [here, there, here, there]) ok(await api.get('/account'));
    await world.api.delete(`/oauth/authorizations/${made.id}`);
    assertRefused(await here.get('/account'), 401, 'unauthorized');
    await until(async () => assertRefused(await there.get('/account'), 401, 'unauthorized'), 2_000);
  });

  it('is not trusted while PostgreSQL cannot be heard', async () => {
    const made = await newToken();
    const there = new Api(secondUrl, made.access_token.token);
    ok(await there.get('/account'));
    // The listening connections break; what happens meanwhile nobody tells.
    await world.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'souk-listen' AND datname = current_database()",
    );
    await world.database.query('ALTER TABLE access_tokens DISABLE TRIGGER access_tokens_notify');
    try {
      await world.database.query('UPDATE access_tokens SET revoked_at = now() WHERE id = $1', [made.id]);
      await until(async () => assertRefused(await there.get('/account'), 401, 'unauthorized'), 2_000);
    } finally {
      await world.database.query('ALTER TABLE access_tokens ENABLE TRIGGER access_tokens_notify');
    }
  });
});

describe('reads of config vars', () => {
  it('are audited: the first at once, repeats as a count when the minute is over', async () => {
    const app = await world.newApp();
    const read = () => world.api.get(`/apps/${app.name}/config-vars`);
    const rows = () =>
      world.database.query<{ details: Record<string, number> }>(
        "SELECT details FROM audit_events WHERE action = 'config.read' AND app_id = $1 ORDER BY id",
        [app.id],
      );
    for (let count = 0; count < 5; count += 1) ok(await read());
    assert.deepEqual(
      (await rows()).map(({ details }) => details),
      [{ version: 1 }],
    );
    world.clock.advance(61_000);
    ok(await read());
    assert.deepEqual(
      (await rows()).map(({ details }) => details),
      [{ version: 1 }, { version: 1, repeats: 4 }, { version: 1 }],
    );
    // Another token is another reader.
    const other = ok(await world.api.post<{ access_token: { token: string } }>('/oauth/authorizations', {}));
    ok(await new Api(world.config.publicUrl, other.access_token.token).get(`/apps/${app.name}/config-vars`));
    assert.equal((await rows()).length, 4);
  });
});
