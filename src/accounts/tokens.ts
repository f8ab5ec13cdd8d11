import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../kernel/secret.js';

/** A fresh token: 256 random bits behind a prefix that secret scanners can recognise. */
export function freshToken(): Secret {
  return new Secret(`souk_${randomBytes(32).toString('base64url')}`);
}

/** What is stored of a token. A plain hash suffices for 256 random bits, and makes the look-up an index search. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * The token in an Authorization header, or null. Clients send `Bearer <token>`; the CLI's data commands and
 * `curl --netrc` send Basic with the token as the password, whatever the user name.
 */
export function tokenFromHeader(header: string | undefined): string | null {
  const [, scheme = '', rest = ''] = /^(\S+)\s+(.+)$/.exec(header ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return rest.trim();
    case 'basic': {
      const decoded = Buffer.from(rest.trim(), 'base64').toString('utf8');
      const password = decoded.slice(decoded.indexOf(':') + 1);
      return decoded.includes(':') && password !== '' ? password : null;
    }
    default:
      return null;
  }
}
