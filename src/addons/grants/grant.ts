import { randomBytes } from 'node:crypto';
import { plusMs } from '../../kernel/clock.js';
import { newId, type AddonId } from '../../kernel/ids.js';
import { Secret } from '../../kernel/secret.js';
import { hashToken } from '../../accounts/tokens.js';
import type { AddonToken } from './grant.entity.js';

/** How long a grant can be exchanged (partner contract, part b). */
export const GRANT_MS = 5 * 60_000;
/** How long an access token works (partner contract, part d). */
export const ACCESS_MS = 8 * 3_600_000;

/** What every token of a provider begins with, so that a request can be told from an account's before it is read. */
export const PROVIDER_TOKEN_PREFIX = 'soukp_';

/** 256 random bits: a code, or a token. */
export function freshProviderToken(): Secret {
  return new Secret(`${PROVIDER_TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`);
}

/** The row of a token that begins to work now. A refresh token lives as long as its add-on. */
export function openAddonToken(
  kind: AddonToken['kind'],
  addonId: AddonId,
  text: Secret,
  now: Date,
): AddonToken {
  return {
    id: newId(),
    addonId,
    kind,
    tokenHash: hashToken(text.reveal()),
    createdAt: now,
    expiresAt: kind === 'access' ? plusMs(now, ACCESS_MS) : null,
    revokedAt: null,
  };
}
