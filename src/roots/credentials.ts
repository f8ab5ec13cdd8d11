import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshToken } from '../accounts/tokens.js';
import type { Config } from '../kernel/config.js';
import { Secret } from '../kernel/secret.js';

/** How the `souk` command reaches the server of a folder when SOUK_URL and SOUK_TOKEN say nothing. */
export interface Credentials {
  url: string | null;
  email: string;
  token: string;
}

function fileOf(home: string): string {
  return join(home, 'credentials.json');
}

/** What lies in the folder, or null. */
export function readCredentials(home: string): Credentials | null {
  return existsSync(fileOf(home)) ? (JSON.parse(readFileSync(fileOf(home), 'utf8')) as Credentials) : null;
}

export function writeCredentials(home: string, credentials: Credentials): void {
  writeFileSync(fileOf(home), `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  chmodSync(fileOf(home), 0o600);
}

/** The operator of a Souk on embedded engines, where the environment names none: made once and kept in the folder. */
export function ensureAdmin(home: string): NonNullable<Config['admin']> {
  const known = readCredentials(home);
  if (known !== null) return { email: known.email, token: new Secret(known.token), from: 'folder' };
  const made = { url: null, email: 'operator@souk.localhost', token: freshToken().reveal() };
  writeCredentials(home, made);
  return { email: made.email, token: new Secret(made.token), from: 'folder' };
}
