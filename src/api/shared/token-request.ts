import { grantErrors } from '../../addons/grants/grants.errors.js';
import type { SoukError } from '../../kernel/errors.js';

/** Where tokens are had. Its queries and bodies hold secrets, and reach no log. */
export const TOKEN_PATH = '/oauth/token';

export type TokenRequest =
  | { grantType: 'authorization_code'; code: string; clientSecret: string }
  | { grantType: 'refresh_token'; refreshToken: string; clientSecret: string };

/** The fields of a form. One that comes twice is none: it must not be guessed which is meant. */
export function parseForm(text: string): Record<string, unknown> {
  const form = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

/**
 * A request for tokens. Providers send the fields as a form, as JSON, or as a query with an empty body (partner contract,
 * part d); a field of the body counts before one of the query. Throws the errors of RFC 6749, section 5.2.
 */
export function parseTokenRequest(body: unknown, query: unknown): TokenRequest {
  const fields = { ...fieldsOf(query), ...fieldsOf(body) };
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value !== 'string' || value === '')
      throw grantErrors.invalid_request({ message: `${name} is missing, empty, or there more than once.` });
    return value;
  };
  const grantType = text('grant_type');
  switch (grantType) {
    case 'authorization_code':
      return { grantType, code: text('code'), clientSecret: text('client_secret') };
    case 'refresh_token':
      return { grantType, refreshToken: text('refresh_token'), clientSecret: text('client_secret') };
    default:
      throw grantErrors.unsupported_grant_type();
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** What OAuth clients read as `error` (RFC 6749, section 5.2). */
export function oauthErrorOf(error: SoukError): string {
  if (error.spec.status >= 500) return 'server_error';
  return Object.hasOwn(grantErrors, error.id) ? error.id : 'invalid_request';
}
