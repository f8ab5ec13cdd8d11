import assert from 'node:assert/strict';
import { Api, ok, type Answer } from './api.js';
import type { Call } from './fake-provider.js';
import type { AddonBody } from './resources.js';
import type { World } from './world.js';

export interface Grant {
  code: string;
  expires_at: string;
  type: string;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  token_type: string;
  user_id: string;
  session_nonce: null;
}

export interface ConfigVar {
  name: string;
  value: string | null;
}

export function grantOf(call: Call): Grant {
  const grant = call.body?.oauth_grant as Grant | null;
  assert.ok(grant !== null && grant !== undefined, 'the request has a grant');
  return grant;
}

/** The grant of the newest provision request for an add-on. */
export function newestGrant(world: World, addonId: string): Grant {
  const call = world.provider.calls.filter(({ verb, id }) => verb === 'provision' && id === addonId).at(-1);
  assert.ok(call !== undefined, 'there was a provision request');
  return grantOf(call);
}

export const CLIENT_SECRET = 'pg-client-secret';

export function exchange(world: World, code: string, clientSecret = CLIENT_SECRET): Promise<Answer<Tokens>> {
  return world.anonymous.post<Tokens>(
    '/oauth/token',
    new URLSearchParams({ grant_type: 'authorization_code', code, client_secret: clientSecret }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  );
}

/** A provider that acts for one add-on. */
export class Partner {
  private constructor(
    readonly api: Api,
    readonly addonId: string,
    readonly tokens: Tokens,
  ) {}

  /** By the grant of a request, or of the newest one. */
  static async of(world: World, addonId: string, grant = newestGrant(world, addonId)): Promise<Partner> {
    return Partner.withTokens(world, addonId, ok(await exchange(world, grant.code)));
  }

  /** By a refresh token. */
  static async refreshed(world: World, addonId: string, refreshToken: string): Promise<Partner> {
    const answer = await world.anonymous.post<Tokens>('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_secret: CLIENT_SECRET,
    });
    return Partner.withTokens(world, addonId, ok(answer));
  }

  static withTokens(world: World, addonId: string, tokens: Tokens): Partner {
    return new Partner(new Api(world.config.publicUrl, tokens.access_token), addonId, tokens);
  }

  setConfig(config: ConfigVar[]): Promise<Answer<ConfigVar[]>> {
    return this.api.patch<ConfigVar[]>(`/addons/${this.addonId}/config`, { config });
  }

  /** With an empty body under a JSON type, as many clients send it. */
  reports(what: 'provision' | 'deprovision'): Promise<Answer<AddonBody>> {
    return this.api.post<AddonBody>(`/addons/${this.addonId}/actions/${what}`, '', {
      'content-type': 'application/json',
    });
  }
}
