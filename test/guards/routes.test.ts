import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { Api, assertRefused, ok } from '../support/api.js';
import { World } from '../support/world.js';
import { SCOPES, type Scope } from '../../src/accounts/actor.js';
import { RouteInventory, type RouteFact } from '../../src/api/shared/route-inventory.js';

let world: World;
let routes: RouteFact[];
beforeAll(async () => {
  world = await World.start({ role: 'api' });
  routes = world.broker.app.get(RouteInventory).list();
});
afterAll(() => world.stop());

const call = (api: Api, route: RouteFact, headers: Record<string, string> = {}) =>
  api.send(
    route.method,
    route.path.replace(/:\w+/g, () => randomUUID()),
    ['POST', 'PATCH', 'PUT'].includes(route.method) ? {} : undefined,
    headers,
  );

const describeRoute = (route: RouteFact) => `${route.method} ${route.path}`;

/**
 * Routes without credentials. The list may only shrink; what is added to it needs a reason. Tokens are had with a client
 * secret in the body: OAuth clients have no other credentials yet.
 */
const PUBLIC = [
  'GET /',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  // A browser has no token: the ticket in the address says who comes.
  'GET /sso/:resource',
  'POST /oauth/token',
];

it('every route says who may call it, and only the way to the docs, health, metrics and tokens are public', () => {
  assert.ok(routes.length >= 30, `${routes.length} routes`);
  assert.deepEqual(
    routes.filter(({ access }) => access === undefined),
    [],
  );
  assert.deepEqual(
    routes
      .filter(({ access }) => access?.kind === 'public')
      .map(describeRoute)
      .sort(),
    PUBLIC,
  );
});

it('no other route answers without credentials, or with those of the other kind', async () => {
  for (const route of routes.filter(({ access }) => access?.kind !== 'public')) {
    assertRefused(await call(world.anonymous, route), 401, 'unauthorized');
    const wrong =
      route.access?.kind === 'provider'
        ? { authorization: `Bearer ${world.api.token}` }
        : { authorization: `Basic ${Buffer.from('pg:partner-password').toString('base64')}` };
    assertRefused(await call(world.anonymous, route, wrong), 401, 'unauthorized');
  }
});

it("a token with every scope but the route's own is refused by it", async () => {
  const tokens = new Map<Scope, Api>();
  for (const scope of SCOPES) {
    const others = SCOPES.filter((one) => one !== scope && one !== 'global');
    const made = ok(
      await world.api.post<{ access_token: { token: string } }>('/oauth/authorizations', { scope: others }),
    );
    tokens.set(scope, new Api(world.config.publicUrl, made.access_token.token));
  }
  for (const route of routes) {
    if (route.access?.kind !== 'scope') continue;
    const api = tokens.get(route.access.scope);
    assert.ok(api !== undefined);
    assertRefused(await call(api, route), 403, 'forbidden');
  }
});

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string }[];
  responses: Record<
    string,
    { headers?: Record<string, unknown>; content?: Record<string, { schema?: { $ref?: string } }> }
  >;
  security?: Record<string, unknown>[];
  'x-souk-scope'?: string;
}

/** The file, which the served document is compared with elsewhere: only the real build reads the comments. */
const DOCUMENT = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, { scheme: string }> };
};

it('docs/openapi.json says of every route what it is for, who may call it, and how it refuses', () => {
  assert.deepEqual(Object.keys(DOCUMENT.components.securitySchemes).sort(), ['basic', 'bearer']);
  assert.ok('Error' in DOCUMENT.components.schemas);
  for (const [name, schema] of Object.entries(DOCUMENT.components.schemas))
    assert.notDeepEqual(
      (schema as { properties?: object }).properties ?? {},
      {},
      `${name} has no properties`,
    );
  for (const route of routes) {
    // Where a provider's token finds another route than an account's, the document has the account's.
    if (route.access?.kind === 'addon' && route.access.shared) continue;
    const what = describeRoute(route);
    const operation = DOCUMENT.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()];
    assert.ok(operation !== undefined, `${what} is missing: npm run openapi`);
    assert.ok((operation.summary ?? '').length > 10, `${what} has no summary`);
    const refusals = Object.keys(operation.responses).filter((status) => status.startsWith('4'));
    for (const status of refusals)
      assert.equal(
        operation.responses[status]?.content?.['application/json']?.schema?.$ref,
        '#/components/schemas/Error',
        `${what} ${status}`,
      );
    const schemes = (operation.security ?? []).flatMap((one) => Object.keys(one)).sort();
    const { access } = route;
    assert.deepEqual(
      {
        schemes,
        scope: operation['x-souk-scope'],
        refusals: ['400', '401', '403', '404'].filter((status) => refusals.includes(status)),
      },
      {
        schemes: { public: [], provider: ['basic'], addon: ['bearer'], scope: ['basic', 'bearer'] }[
          access?.kind ?? 'public'
        ],
        scope: access?.kind === 'scope' ? access.scope : undefined,
        refusals: [
          '400',
          ...(access?.kind === 'public' ? [] : ['401']),
          ...(access?.kind === 'scope' ? ['403'] : []),
          ...(route.path.includes(':') ? ['404'] : []),
        ],
      },
      what,
    );
  }
});

it('every list that sends Accept-Ranges is described with its Range and its headers, and no other', async () => {
  const app = await world.newApp();
  const lists = routes.filter(({ method, access }) => method === 'GET' && access?.kind === 'scope');
  for (const route of lists) {
    const path = route.path.replace(':app', app.name);
    if (path.includes(':')) continue;
    const answer = await world.api.get(path);
    const fields = answer.headers.get('accept-ranges');
    assert.equal(route.pagedBy === null ? null : [...route.pagedBy].sort().join(', '), fields, path);
  }
  for (const route of routes.filter(({ pagedBy }) => pagedBy !== null)) {
    const operation = DOCUMENT.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.get;
    assert.ok(
      operation?.parameters?.some((one) => one.in === 'header' && one.name === 'Range'),
      route.path,
    );
    assert.deepEqual(Object.keys(operation?.responses['206']?.headers ?? {}), [
      'Accept-Ranges',
      'Content-Range',
      'Next-Range',
    ]);
    assert.ok('416' in (operation?.responses ?? {}));
  }
});

it('the OpenAPI document has every route', async () => {
  const document = ok(
    await world.anonymous.get<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json'),
  );
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    assert.ok(document.paths[path]?.[route.method.toLowerCase()] !== undefined, describeRoute(route));
  }
});
