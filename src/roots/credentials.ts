import { join } from 'node:path';
import { freshToken } from '../accounts/tokens.js';
import type { Config } from '../kernel/config.js';
import { Secret } from '../kernel/secret.js';
import { makeFile, readJsonFile, replaceFile } from '../kernel/whole-file.js';

/** How the `souk` command reaches the server of a folder when SOUK_URL and SOUK_TOKEN say nothing. */
export interface Credentials {
  url: string | null;
  email: string;
  token: string;
}

const REMEDY = 'Remove it: the next start of the server makes a new token for the operator.';

function fileOf(home: string): string {
  return join(home, 'credentials.json');
}

/** What lies in the folder, or null. */
export function readCredentials(home: string): Credentials | null {
  return readJsonFile<Credentials>(
    fileOf(home),
    ({ email, token }) => typeof email === 'string' && typeof token === 'string',
    REMEDY,
  );
}

export function writeCredentials(home: string, credentials: Credentials): void {
  replaceFile(fileOf(home), textOf(credentials));
}

/** The operator of a Souk on embedded engines, where the environment names none: made once and kept in the folder. */
export function ensureAdmin(home: string): NonNullable<Config['admin']> {
  const fresh = { url: null, email: 'operator@souk.localhost', token: freshToken().reveal() };
  // Of several processes that start together the first one makes it; all of them use what is there then.
  if (readCredentials(home) === null) makeFile(fileOf(home), textOf(fresh));
  const { email, token } = readCredentials(home) ?? fresh;
  return { email, token: new Secret(token), from: 'folder' };
}

function textOf(credentials: Credentials): string {
  return `${JSON.stringify(credentials, null, 2)}\n`;
}
