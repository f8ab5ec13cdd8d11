import assert from 'node:assert/strict';
import { ok, type Answer, type Api } from '../../support/api.js';
import type { World } from '../../support/world.js';

export interface Contents extends Record<string, unknown> {
  $base: number;
  api: { password?: string; sso_salt?: string } & Record<string, unknown>;
}

export interface ManifestBody {
  contents: Contents;
  client_secret?: string;
}

/** The manifest of a service of this id whose provider is the world's, without secrets as `generate` leaves none. */
export function manifestOf(
  world: World,
  id: string,
  overrides: Record<string, unknown> = {},
  api: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id,
    name: 'Acme',
    api: {
      version: '3',
      config_vars_prefix: 'PG',
      config_vars: ['PG_URL', 'PG_POOL_URL'],
      regions: ['us', 'eu'],
      requires: ['many_per_app', 'attachable'],
      production: {
        base_url: `${world.provider.url}/heroku/resources`,
        sso_url: `${world.provider.url}/sso`,
      },
      ...api,
    },
    ...overrides,
  };
}

export const push = (api: Api, id: string, contents: unknown) =>
  api.post<ManifestBody>(`/api/v3/addons/${id}/manifests`, { contents });

export const pull = async (api: Api, id: string) =>
  ok(await api.get<ManifestBody>(`/api/v3/addons/${id}/current_manifest`)).contents;

/** A service that the account has just published, in alpha. */
export async function publish(
  world: World,
  api: Api,
  id: string,
  overrides: Record<string, unknown> = {},
): Promise<ManifestBody> {
  return ok(await push(api, id, manifestOf(world, id, overrides)));
}

export const moveTo = (api: Api, id: string, state: string) =>
  api.patch<{ state: string }>(`/admin/addon-services/${id}`, { state });

/** What the portal's own client reads of a refusal: one sentence, or a list of them. */
export function sentencesOf(answer: Answer): string[] {
  const { error } = answer.body as { error?: string | { base: string[] } };
  assert.ok(error !== undefined, JSON.stringify(answer.body));
  return typeof error === 'string' ? [error] : error.base;
}

/** Loopback as this world's third parties need it. */
export const LOOPBACK = [{ address: '127.0.0.1', port: null }];

export const FREE_AND_PAID = [
  { id: 'free', price: { cents: 0 } },
  { id: 'small', price: { cents: 500 }, default: true },
];
