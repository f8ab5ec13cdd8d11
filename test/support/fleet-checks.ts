import assert from 'node:assert/strict';
import { listTenants, providerClusterUrl } from '../../providers/postgres/inventory.js';
import { ok } from './api.js';
import type { Fleet } from './fleet.js';
import type { AddonBody } from './resources.js';

/** A login, an owner and the one that lets in to its database. */
const ROLES_EACH = 3;

/** Both sides hold the same: a database and its roles for each add-on, and nothing else; and no add-on is under way. */
export async function assertNothingLeftOver(fleet: Fleet): Promise<void> {
  const rows = await fleet.query<{ id: string; state: string; failed: boolean }>(
    "SELECT id, state, failed FROM addons WHERE state <> 'deprovisioned'",
  );
  assert.deepEqual(
    rows.filter(({ state }) => state !== 'provisioned'),
    [],
    'an add-on is neither provisioned nor gone',
  );
  const tenants = await listTenants(await providerClusterUrl(fleet.home));
  assert.equal(tenants.databases.length, rows.length, 'databases at the provider, and add-ons');
  assert.equal(tenants.roles.length, rows.length * ROLES_EACH, 'roles at the provider, and add-ons');
  assert.deepEqual(
    await databasesOfConfig(fleet),
    tenants.databases,
    'databases that config vars name, and those that are there',
  );
  const uncharged = await fleet.query(
    `SELECT a.id FROM addons a WHERE (a.state = 'provisioned') <> EXISTS
       (SELECT 1 FROM addon_plan_periods p WHERE p.addon_id = a.id AND p.ended_at IS NULL)`,
  );
  assert.deepEqual(uncharged, [], 'what is charged for, and what is there');
  const gaps = await fleet.query(
    'SELECT app_id FROM releases GROUP BY app_id HAVING max(version) <> count(*) OR min(version) <> 1',
  );
  assert.deepEqual(gaps, [], 'releases without gaps');
  assert.deepEqual(await fleet.query('SELECT kind, detail FROM findings WHERE resolved_at IS NULL'), []);
}

/** The databases that the config vars of all apps lead to, each once. */
async function databasesOfConfig(fleet: Fleet): Promise<string[]> {
  const addons = ok(await fleet.api.get<AddonBody[]>('/addons', { range: 'id ..; max=1000' }));
  const apps = [...new Set(addons.map(({ app }) => app.name))];
  const configs = await Promise.all(
    apps.map(async (app) => ok(await fleet.api.get<Record<string, string>>(`/apps/${app}/config-vars`))),
  );
  return configs
    .flatMap((config) => Object.values(config))
    .map((url) => new URL(url).pathname.slice(1))
    .sort();
}
