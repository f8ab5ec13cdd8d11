import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { makeOpenFolder, SYSTEM_DATA } from './place.js';
import { canEnter, isRoot, type SystemUser } from './system-user.js';

/** Where programs that are not installed on the machine are kept: many homes may share one cache. */
export async function cacheFolder(home: string, user: SystemUser | null): Promise<string> {
  for (const candidate of cacheCandidates(home)) {
    const usable = await makeOpenFolder(candidate)
      .then(() => access(candidate, constants.W_OK))
      .then(
        () => true,
        () => false,
      );
    if (usable && (await canEnter(candidate, user))) return realpath(candidate);
  }
  throw new Error(
    process.env['SOUK_ENGINE_CACHE']
      ? 'The folder that SOUK_ENGINE_CACHE names cannot be written by Souk and entered by the engines.'
      : 'No folder could be made for programs; set SOUK_ENGINE_CACHE to one that everyone can traverse.',
  );
}

/** The folders that may serve as the cache, preferred first; one that the operator chose is the only one. */
export function cacheCandidates(home: string): string[] {
  const chosen = process.env['SOUK_ENGINE_CACHE'];
  if (chosen) return [resolve(chosen)];
  const personal = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const shared = isRoot() ? ['/var/cache/souk'] : isAbsolute(personal) ? [join(personal, 'souk')] : [];
  const candidates = [...shared, join(resolve(home), 'engines', 'cache')];
  return isRoot() ? [...candidates, join(SYSTEM_DATA, 'cache')] : candidates;
}
