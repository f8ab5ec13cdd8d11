import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import {
  createLogger,
  type Database,
  KIT_MIGRATIONS,
  migrate,
  NoGrant,
  noCrashPoints,
  PlatformClient,
  PlatformError,
  PlatformLinks,
  PlatformTokens,
  Vault,
} from '../kit/index.js';
import { CLIENT_SECRET, ScriptedPlatform } from './spec-platform.js';
import { SampleBench } from './spec-support.js';

const HOUR_MS = 3_600_000;
const PATIENCE = { attemptsMax: 3, timeoutMs: 2_000, delayFirstMs: 1, delayMaxMs: 100 };

describe('the platform client', () => {
  const bench = new SampleBench();
  const vault = Vault.fromText('a key');
  let database: Database;
  let platform: ScriptedPlatform;
  let now: number;
  const clock = { now: () => new Date(now) };
  const links = new PlatformLinks(vault, clock);

  beforeAll(async () => {
    database = bench.open(await bench.databaseUrl());
    await migrate(database, KIT_MIGRATIONS);
  });
  beforeEach(async () => {
    now = Date.now();
    platform = await ScriptedPlatform.start();
  });
  afterEach(() => platform.stop());
  afterAll(() => bench.clear());

  /** As one process of a provider; two have nothing in common but the database. */
  const openClient = (clientSecret = CLIENT_SECRET): { client: PlatformClient; tokens: PlatformTokens } => {
    const tokens = new PlatformTokens({
      database,
      links,
      platformUrl: null,
      tokenUrl: null,
      clientSecret,
      clock,
      crash: noCrashPoints,
      log: createLogger('silent', 'spec'),
      patience: PATIENCE,
    });
    return { client: new PlatformClient(tokens, PATIENCE), tokens };
  };
  const granted = async (): Promise<string> => {
    const uuid = randomUUID();
    await grant(uuid);
    return uuid;
  };
  const grant = async (uuid: string): Promise<void> => {
    const { code, expires_at: expiresAt } = platform.addon(uuid);
    await links.keep(database, uuid, {
      callbackUrl: `${platform.url}/addons/${uuid}`,
      grant: { code, expiresAt },
      logInputUrl: null,
      logDrainToken: null,
    });
  };
  const isStatus = (status: number) => (error: unknown) =>
    error instanceof PlatformError && error.status === status;

  it('exchanges a grant once, however many ask, and makes its calls with the token', async () => {
    const uuid = await granted();
    const { client } = openClient();
    const addons = await Promise.all([1, 2, 3, 4].map(() => client.addon(uuid)));
    assert.deepEqual(new Set(addons.map(({ name }) => name)), new Set(['acme']));
    assert.deepEqual(await client.setConfig(uuid, { SLOW_URL: 'a', SLOW_OLD: 'b' }), {
      SLOW_URL: 'a',
      SLOW_OLD: 'b',
    });
    assert.deepEqual(await client.setConfig(uuid, { SLOW_OLD: null }), { SLOW_URL: 'a' });
    assert.deepEqual(await client.config(uuid), { SLOW_URL: 'a' });
    await client.finishProvision(uuid);
    assert.equal(platform.states.get(uuid), 'provisioned');
    const [exchange, ...more] = platform.heard('POST', '/oauth/token');
    assert.equal(more.length, 0);
    assert.equal(exchange?.contentType, 'application/x-www-form-urlencoded');
    assert.equal(new URLSearchParams(exchange?.body).get('grant_type'), 'authorization_code');
  });

  it('keeps tokens encrypted, and another process finds them', async () => {
    const uuid = await granted();
    await openClient().client.addon(uuid);
    const [row] = await database.query<{ sealed: Buffer }>(
      'SELECT sealed FROM kit.platform_links WHERE uuid = $1',
      [uuid],
    );
    assert.ok(row !== undefined && !row.sealed.toString('latin1').includes('access-'));
    await openClient().client.addon(uuid);
    assert.equal(platform.heard('POST', '/oauth/token').length, 1);
  });

  it.each([false, true])('renews a token before its end; the refresh token rotates: %s', async (rotates) => {
    platform.rotates = rotates;
    const uuid = await granted();
    const { client } = openClient();
    for (let round = 0; round < 3; round++) {
      await client.addon(uuid);
      now += 8 * HOUR_MS;
    }
    assert.equal(platform.heard('POST', '/oauth/token').length, 3);
  });

  it('renews a token that the platform ended early, once', async () => {
    const uuid = await granted();
    const { client } = openClient();
    await client.addon(uuid);
    platform.endAccessTokens();
    await client.addon(uuid);
    assert.equal(platform.heard('POST', '/oauth/token').length, 2);
    platform.fail('GET', uuid, 401);
    platform.fail('GET', uuid, 401);
    await assert.rejects(client.addon(uuid), isStatus(401));
  });

  it('lets two processes meet at one grant', async () => {
    const uuid = await granted();
    await Promise.all([openClient().client.addon(uuid), openClient().client.addon(uuid)].map(settled));
    await openClient().client.addon(uuid);
    await openClient().client.addon(uuid);
  });

  it('repeats what passes, and leaves the rest to the caller', async () => {
    const uuid = await granted();
    const { client } = openClient();
    platform.fail('POST', '/oauth/token', 503);
    platform.fail('PATCH', '/config', 429, { headers: { 'retry-after': '0' } });
    platform.fail('PATCH', '/config', 0);
    await client.setConfig(uuid, { SLOW_URL: 'a' });
    platform.fail('POST', '/actions/provision', 302, { headers: { location: `${platform.url}/elsewhere` } });
    await assert.rejects(client.finishProvision(uuid), isStatus(302));
    assert.equal(platform.heard('POST', '/elsewhere').length, 0);
    await client.finishDeprovision(uuid);
    await assert.rejects(client.addon(uuid), (error) => error instanceof PlatformError && error.gone);
  });

  it('has nothing without a grant, and uses a repeated one after the first was spent', async () => {
    const { client, tokens } = openClient();
    await assert.rejects(client.addon(randomUUID()), NoGrant);
    const uuid = await granted();
    // The exchange happened, and its answer was lost: the code is spent.
    platform.fail('POST', '/oauth/token', 0, { afterwards: true });
    await assert.rejects(client.addon(uuid), isStatus(400));
    await assert.rejects(client.addon(uuid), NoGrant);
    await grant(uuid);
    await tokens.exchangeDue();
    now += HOUR_MS;
    await client.addon(uuid);
  });

  it('lets a grant run out that nobody exchanged in time', async () => {
    const uuid = await granted();
    now += HOUR_MS;
    await assert.rejects(openClient().client.addon(uuid), NoGrant);
    assert.equal(platform.heard('POST', '/oauth/token').length, 0);
  });

  it('refuses to go on with a wrong client secret, and keeps its secrets out of the error', async () => {
    const uuid = await granted();
    await assert.rejects(openClient('wrong').client.addon(uuid), (error) => {
      assert.ok(error instanceof PlatformError && error.status === 401);
      assert.ok(!JSON.stringify([error.message, error.stack]).includes('code-'));
      return true;
    });
  });
});

async function settled(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof PlatformError) && !(error instanceof NoGrant)) throw error;
  });
}
