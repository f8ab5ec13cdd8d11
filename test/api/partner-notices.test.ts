import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, ok } from '../support/api.js';
import type { AddonBody } from '../support/resources.js';
import { World } from '../support/world.js';

let world: World;
let addon: AddonBody;
beforeAll(async () => {
  world = await World.start();
  const app = await world.newApp();
  addon = await world.addAddon(app.name);
});
afterAll(() => world.stop());

const asProvider = (slug: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${slug}:${password}`).toString('base64')}`,
});
const post = (body: unknown, credentials = asProvider('pg', 'partner-password'), id = addon.id) =>
  new Api(world.config.publicUrl, null).post(`/addons/${id}/notices`, body, credentials);
const notices = async () =>
  ok(
    await world.api.get<{ key: string; severity: string; message: string; cleared_at: string | null }[]>(
      `/addons/${addon.name}/notices`,
    ),
  );

describe("a provider's notice", () => {
  it('is shown on the add-on, replaced by a newer one of its key, and cleared', async () => {
    assert.equal(
      (await post({ key: 'storage', severity: 'warning', message: '91 % of 1 GB is used.' })).status,
      204,
    );
    assert.equal(
      (await post({ key: 'storage', severity: 'warning', message: '91 % of 1 GB is used.' })).status,
      204,
    );
    assert.deepEqual(
      (await notices()).map(({ message, cleared_at }) => [message, cleared_at]),
      [['91 % of 1 GB is used.', null]],
    );
    await post({ key: 'storage', severity: 'critical', message: 'Writes are stopped.' });
    await post({ key: 'storage', severity: 'info', message: 'Under again.', cleared: true });
    const all = await notices();
    assert.equal(all.length, 2);
    assert.ok(all.every(({ cleared_at }) => cleared_at !== null));
  });

  it('needs the credentials of the provider whose add-on it is', async () => {
    const body = { key: 'storage', severity: 'warning', message: 'Hello there.' };
    assertRefused(await post(body, asProvider('pg', 'wrong')), 401, 'unauthorized');
    assertRefused(await post(body, asProvider('nobody', 'partner-password')), 401, 'unauthorized');
    assertRefused(await world.api.post(`/addons/${addon.id}/notices`, body), 401, 'unauthorized');
    await world.importManifest({
      id: 'other',
      api: { ...(world.provider.manifest().api as object), password: 'of-the-other' },
    });
    assertRefused(await post(body, asProvider('other', 'of-the-other')), 404, 'not_found');
    assertRefused(
      await post(body, asProvider('pg', 'partner-password'), crypto.randomUUID()),
      404,
      'not_found',
    );
    assertRefused(await post(body, asProvider('pg', 'partner-password'), addon.name), 404, 'not_found');
  });

  it('is refused when it is malformed', async () => {
    for (const body of [
      {},
      { key: 'storage' },
      { key: 'Bad Key', severity: 'info', message: 'x' },
      { key: 'a', severity: 'loud', message: 'x' },
      { key: 'a', severity: 'info', message: 7 },
    ])
      assertRefused(await post(body), 422, 'invalid_params');
  });
});
