import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
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

/** Routes without credentials. The list may only shrink; what is added to it needs a reason. */
const PUBLIC = ['GET /', 'GET /health', 'GET /health/live', 'GET /health/ready', 'GET /metrics'];

it('every route says who may call it, and only the way to the docs, health and metrics are public', () => {
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

it('the OpenAPI document has every route', async () => {
  const document = ok(
    await world.anonymous.get<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json'),
  );
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    assert.ok(document.paths[path]?.[route.method.toLowerCase()] !== undefined, describeRoute(route));
  }
});
