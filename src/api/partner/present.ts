import { ACCESS_MS } from '../../addons/grants/grant.js';
import type { IssuedTokens } from '../../addons/grants/commands/exchange-grant.js';
import type { TokenResource } from './oauth.dto.js';

export function presentTokens({ access, refresh, providerId }: IssuedTokens): TokenResource {
  return {
    access_token: access.reveal(),
    // Always there: some providers store whatever comes.
    refresh_token: refresh.reveal(),
    expires_in: ACCESS_MS / 1_000,
    token_type: 'Bearer',
    user_id: providerId,
    session_nonce: null,
  };
}
