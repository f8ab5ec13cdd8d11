import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ssoToken } from '../../kit/index.js';
import { type ProviderProcess, until } from '../../postgres/spec-support.js';
import { SampleBench, SSO_SALT } from '../spec-support.js';
import { freshSeconds } from './freshness.js';

describe('freshSeconds', () => {
  it.each<[number, string | undefined, string | undefined, number]>([
    [200, 'max-age=60', undefined, 60],
    [200, 'public, max-age=60, s-maxage=5', 'Accept-Encoding', 5],
    [404, 'max-age=9', undefined, 9],
    [200, 'max-age=99999999', undefined, 86_400],
    [200, undefined, undefined, 0],
    [200, 'max-age=0', undefined, 0],
    [200, 'max-age=60, private', undefined, 0],
    [200, 'No-Store, max-age=60', undefined, 0],
    [200, 'max-age=60', 'cookie', 0],
    [200, 'max-age=60', '*', 0],
    [500, 'max-age=60', undefined, 0],
    [302, 'max-age=60', undefined, 0],
  ])('%i with %s, vary %s: %i', (status, control, vary, expected) => {
    assert.equal(freshSeconds(status, { 'cache-control': control, vary }), expected);
  });
});

describe('the CDN as a program', () => {
  const bench = new SampleBench();
  let home: string;
  let provider: ProviderProcess;
  let origin: Server;
  let originUrl: string;
  let visits: string[];

  beforeAll(async () => {
    visits = [];
    origin = createServer((request, response) => {
      visits.push(request.url ?? '');
      const control = request.url?.startsWith('/kept') === true ? 'max-age=600' : 'no-store';
      response.writeHead(200, {
        'cache-control': control,
        'set-cookie': 'a=b',
        'content-type': 'text/plain',
      });
      response.end(`visit ${visits.length}`);
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    home = await bench.home();
    provider = await bench.start('cdn', { SOUK_HOME: home });
  });
  afterAll(async () => {
    await bench.clear();
    await new Promise((resolve) => origin.close(resolve));
  });

  const make = async (options: Record<string, string> = {}) => {
    const uuid = randomUUID();
    const answer = await provider.call('POST', '/heroku/resources', { uuid, plan: 'test', options });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { CDN_URL: url = '', CDN_KEY: key = '' } = answer.body.config ?? {};
    return { uuid, url, key };
  };
  const control = (method: string, url: string, key: string, body?: unknown) =>
    fetch(url, {
      method,
      headers: { authorization: `Bearer ${key}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  const get = async (url: string) => {
    const response = await fetch(url);
    return {
      status: response.status,
      cache: response.headers.get('x-cache'),
      text: await response.text(),
      response,
    };
  };

  it('keeps what the origin allows, and lets go of what is purged', async () => {
    const { uuid, url, key } = await make({ origin: originUrl });
    const first = await get(`${url}/kept?a=1`);
    assert.equal(first.cache, 'MISS');
    assert.equal(first.response.headers.get('set-cookie'), null);
    const second = await get(`${url}/kept?a=1`);
    assert.deepEqual([second.cache, second.text], ['HIT', first.text]);
    assert.equal((await get(`${url}/fresh`)).cache, 'MISS');
    assert.equal((await get(`${url}/fresh`)).cache, 'MISS');
    assert.deepEqual(await (await control('DELETE', `${url}/kept`, key)).json(), { purged: 1 });
    assert.notEqual((await get(`${url}/kept?a=1`)).text, first.text);
    assert.deepEqual(await (await control('DELETE', url, key)).json(), { purged: 1 });
    assert.equal((await control('DELETE', url, 'wrong')).status, 401);
    await provider.deprovision(uuid);
    assert.equal((await get(`${url}/kept?a=1`)).status, 404);
  });

  it('carries actions out, each run once', async () => {
    const { uuid, url } = await make({ origin: originUrl });
    const act = (name: string, body: object, of = uuid) =>
      provider.call('POST', `/heroku/resources/${of}/actions/${name}`, body);
    const usage = await act('usage', { id: randomUUID() });
    assert.deepEqual([usage.status, usage.body], [200, { result: { answers: 0, bytes: 0 } }]);
    await get(`${url}/kept/a`);
    await get(`${url}/kept/b`);
    const run = { id: randomUUID(), params: { path: '/kept/a' } };
    const purged = await act('purge', run);
    assert.deepEqual(purged.body, { result: { purged: 1 }, message: '1 answers are gone.' });
    await get(`${url}/kept/a`);
    assert.deepEqual((await act('purge', run)).body, purged.body);
    assert.equal((await get(`${url}/kept/a`)).cache, 'HIT', 'a repeat purges nothing');
    assert.equal((await act('usage', run)).status, 422, 'the id of another run');
    assert.equal((await act('purge', { id: 'x' })).status, 422);
    assert.equal((await act('explode', { id: randomUUID() })).status, 404);
    assert.equal((await act('purge', { id: randomUUID() }, randomUUID())).status, 404);
    await provider.deprovision(uuid);
    assert.equal((await act('purge', { id: randomUUID() })).status, 410);
  });

  it('asks the origin once for many who come at once, and never another host', async () => {
    const { uuid, url } = await make({ origin: originUrl });
    const before = visits.length;
    const all = await Promise.all(Array.from({ length: 10 }, () => get(`${url}/kept/many`)));
    assert.equal(visits.length, before + 1);
    assert.equal(new Set(all.map(({ text }) => text)).size, 1);
    await get(`${url}//127.0.0.1:1/x`);
    assert.equal(visits.at(-1), '//127.0.0.1:1/x');
    await provider.deprovision(uuid);
  });

  it('takes an origin later, and refuses what is none', async () => {
    const { uuid, url, key } = await make();
    assert.equal((await get(`${url}/kept`)).status, 503);
    for (const bad of ['http://example.com', 'ftp://127.0.0.1', `${originUrl}/path`, 7])
      assert.equal((await control('PUT', url, key, { origin: bad })).status, 422);
    assert.equal((await control('PUT', url, 'wrong', { origin: originUrl })).status, 401);
    assert.equal((await control('PUT', url, key, { origin: originUrl })).status, 204);
    assert.equal((await get(`${url}/kept`)).status, 200);
    const refused = { uuid: randomUUID(), plan: 'test', options: { origin: 'http://example.com' } };
    assert.equal((await provider.call('POST', '/heroku/resources', refused)).status, 422);
    await provider.deprovision(uuid);
  });

  it('opens its dashboard to whom the platform signed for', async () => {
    const { uuid } = await make({ origin: originUrl });
    const post = (timestamp: string, salt = SSO_SALT) =>
      fetch(`http://127.0.0.1:${provider.port}/sso`, {
        method: 'POST',
        body: new URLSearchParams({
          resource_id: uuid,
          resource_token: ssoToken(uuid, salt, timestamp),
          timestamp,
          email: '<script>',
        }),
      });
    const now = Math.floor(Date.now() / 1000);
    const page = await post(String(now));
    assert.equal(page.status, 200);
    assert.ok((await page.text()).includes(originUrl));
    assert.equal((await post(String(now), 'wrong')).status, 403);
    assert.equal((await post(String(now - 360))).status, 403);
    await provider.deprovision(uuid);
    assert.equal((await post(String(now))).status, 404);
  });

  it('is there again after a kill, with what it had', async () => {
    const { uuid, url } = await make({ origin: originUrl });
    const { port } = provider;
    await provider.kill();
    provider = await bench.start('cdn', { SOUK_HOME: home, PORT: String(port) });
    assert.equal((await get(`${url}/kept`)).status, 200);
    assert.equal((await provider.deprovision(uuid)).status, 204);
    await until('it is healthy', () => provider.healthy());
  });
});
