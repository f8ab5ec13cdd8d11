import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertRefused, ok } from '../support/api.js';
import { World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ role: 'api' });
});
afterAll(() => world.stop());

/** What comes back for bytes that no client library would send. */
async function raw(
  bytes: string,
): Promise<{ status: number; head: string; body: { id?: string; message?: string } }> {
  const socket = connect(world.config.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return {
    status: Number(head.split(' ')[1]),
    head: head.toLowerCase(),
    body: JSON.parse(body) as { id?: string; message?: string },
  };
}

const request = (line: string, headers: string[] = [], body = '') =>
  [
    `${line} HTTP/1.1`,
    'host: souk.test',
    'connection: close',
    `authorization: Bearer ${world.api.token}`,
    ...headers,
    '',
    body,
  ].join('\r\n');

describe('a request that no route sees', () => {
  it.each([
    ['an address that is no UTF-8', 400, 'bad_request', () => request('GET /apps/%ff')],
    ['a lone percent sign', 400, 'bad_request', () => request('GET /%')],
    ['a name that is far too long', 414, 'address_too_long', () => request(`GET /apps/${'a'.repeat(3_000)}`)],
    ['a method that does not exist', 400, 'bad_request', () => request('FOO /apps')],
    ['a method that no route has', 404, 'not_found', () => request('PUT /apps')],
    ['a path that no route has', 404, 'not_found', () => request('GET /nothing')],
    [
      'headers that are too large',
      431,
      'headers_too_large',
      () => request('GET /apps', [`x: ${'a'.repeat(70_000)}`]),
    ],
    ['no HTTP at all', 400, 'bad_request', () => 'hello\r\n\r\n'],
    ['a wrong length', 400, 'bad_request', () => request('POST /apps', ['content-length: much'])],
    [
      'a text',
      415,
      'unsupported_media_type',
      () => request('POST /apps', ['content-type: text/plain', 'content-length: 1'], 'x'),
    ],
    [
      'a form',
      415,
      'unsupported_media_type',
      () =>
        request(
          'POST /apps',
          ['content-type: application/x-www-form-urlencoded', 'content-length: 3'],
          'a=b',
        ),
    ],
    [
      'a body that is compressed',
      415,
      'unsupported_media_type',
      () =>
        request(
          'POST /apps',
          ['content-type: application/json', 'content-encoding: gzip', 'content-length: 2'],
          '{}',
        ),
    ],
    [
      'half of a JSON',
      400,
      'bad_request',
      () => request('POST /apps', ['content-type: application/json', 'content-length: 1'], '{'),
    ],
    [
      'a body that is too large',
      413,
      'body_too_large',
      () => request('POST /apps', ['content-type: application/json', `content-length: ${5 * 1024 * 1024}`]),
    ],
  ])('is refused with an id, a sentence and a request id: %s', async (_, status, id, bytes) => {
    const answer = await raw(bytes());
    assert.deepEqual([answer.status, answer.body.id], [status, id]);
    assert.match(answer.body.message ?? '', /^[A-Z].{10,}[.:?]/);
    assert.match(answer.head, /\r\nrequest-id: [0-9a-f-]{36}/);
    assert.match(answer.head, /\r\ncontent-type: application\/json/);
    assert.deepEqual(Object.keys(answer.body).sort(), ['id', 'message']);
  });
});

describe('a body that makes no sense', () => {
  it.each([
    ['[]', 422, 'The body must be a JSON object, like {"name": "value"}, not a list.'],
    ['null', 422, 'The body must be a JSON object, like {"name": "value"}, not null.'],
    ['"x"', 422, 'The body must be a JSON object, like {"name": "value"}, not a string.'],
    ['{"name":123}', 422, 'name must be a string.'],
    ['{"name":["a"]}', 422, 'name must be a string.'],
    ['{"__proto__":{"name":"shop"}}', 400, 'Nothing in the body can have the name __proto__.'],
    ['{"a":{"__proto__":1}}', 400, 'Nothing in the body can have the name __proto__.'],
    [
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      422,
      'The body is nested too deeply; 50 levels are the most.',
    ],
    [
      '{"name":"\\ud800"}',
      422,
      'The value of name holds half a character (a lone surrogate, such as \\ud800); send whole ones.',
    ],
    ['{', 400, 'The body is not valid JSON; check its syntax.'],
    ['{"name":"a\\u0000b"}', 422, expect.stringContaining('An app name has') as string],
    ['{"region":"\\u0000"}', 422, expect.stringContaining('There is no such region') as string],
  ])('is refused and changes nothing: %.40s', async (body, status, message) => {
    const count = async () =>
      (
        await world.database.query<{ n: string }>(
          'SELECT (SELECT count(*) FROM apps) + (SELECT count(*) FROM audit_events) AS n',
        )
      )[0]?.n;
    const before = await count();
    const answer = await world.api.post<{ id: string; message: string }>('/apps', body);
    assert.equal(answer.status, status);
    expect(answer.body.message).toEqual(message);
    assert.match(answer.body.id, /^[a-z_]+$/);
    assert.equal(await count(), before);
  });

  it('is no body where it is empty, under a JSON type too', async () => {
    ok(await world.api.post('/apps', '', { 'content-type': 'application/json' }));
    ok(await world.api.post('/apps'));
  });

  it('is refused as config: half a character would come back as another one', async () => {
    const app = await world.newApp();
    const path = `/apps/${app.name}/config-vars`;
    for (const body of ['{"A":"x\\ud800"}', '{"A":"\\udc00"}', '{"\\ud800":"x"}'])
      assertRefused(await world.api.patch(path, body), 422, 'invalid_params');
    assertRefused(await world.api.patch(path, '[]'), 422, 'invalid_params');
    assertRefused(await world.api.patch(path, ''), 422, 'invalid_params');
    assert.deepEqual(ok(await world.api.get(path)), {});
    ok(await world.api.patch(path, { A: '😀 ½ \u{10ffff}' }));
    assert.deepEqual(ok(await world.api.get(path)), { A: '😀 ½ \u{10ffff}' });
    assert.equal(ok(await world.api.get<object[]>(`/apps/${app.name}/releases`)).length, 2);
  });
});

it('texts that people see in terminals hold no control characters', async () => {
  for (const description of ['\u001b[31m', 'a\nb', '\u202egnp', '\u0000'])
    assertRefused(await world.api.post('/oauth/authorizations', { description }), 422, 'invalid_params');
  ok(await world.api.post('/oauth/authorizations', { description: 'für CI – 日本 😀' }));
  assertRefused(
    await world.api.post('/admin/accounts', { email: 'plain@souk.test', name: '\u009b1m' }),
    422,
    'invalid_params',
  );
});

it('an attachment that is a list is refused, not taken for one without a name', async () => {
  const app = await world.newApp();
  const body = { plan: 'pg:mini', attachment: [{ name: 'PRIMARY' }] };
  assertRefused(await world.api.post(`/apps/${app.name}/addons`, body), 422, 'invalid_params');
  assert.deepEqual(ok(await world.api.get(`/apps/${app.name}/addons`)), []);
});

it('a request that never arrives whole does not hold its connection for ever', () => {
  const app = world.broker.app as NestFastifyApplication;
  const { requestTimeout, headersTimeout } = app.getHttpServer();
  assert.ok(requestTimeout > 0 && requestTimeout <= 300_000, `${requestTimeout}`);
  assert.ok(headersTimeout > 0 && headersTimeout <= requestTimeout, `${headersTimeout}`);
});

it('the first page leads to the docs, and an app to the first page', async () => {
  const home = await fetch(`${world.config.publicUrl}/`, { redirect: 'manual' });
  assert.deepEqual([home.status, home.headers.get('location')], [302, '/docs']);
  const app = await world.newApp();
  const followed = await fetch(app.web_url);
  assert.equal(followed.status, 200);
  assert.match(await followed.text(), /<title>/);
  ok(await world.anonymous.get('/health'));
});

it('no release says that it can be rolled back to, while nothing can', async () => {
  const app = await world.newApp();
  ok(await world.api.patch(`/apps/${app.name}/config-vars`, { A: '1' }));
  const releases = ok(
    await world.api.get<{ eligible_for_rollback: boolean }[]>(`/apps/${app.name}/releases`),
  );
  assert.deepEqual(
    releases.map((one) => one.eligible_for_rollback),
    [false, false],
  );
});
