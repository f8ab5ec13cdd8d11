import { access, constants } from 'node:fs/promises';
import { fetchFromDebian, findUnpacked, type UnpackedPrograms } from './apt-cache.js';
import { type DebianRecipe, REDIS_RECIPES } from './debian-recipes.js';
import { cleanEnvironment, findProgram } from './environment.js';
import { errorText } from './errors.js';
import { run } from './processes.js';
import type { SystemUser } from './system-user.js';
import { type Command, EngineUnavailable, type Progress } from './types.js';

export interface RedisPrograms {
  server: Command;
  kind: 'valkey' | 'redis';
  version: string;
  /** Where it came from, in a person's words. */
  where: string;
}

export const REDIS_FIX =
  'Install valkey-server or redis-server (6.2 or newer), or name one in REDIS_SERVER_BIN, or set REDIS_URL.';

/** Finds a server of Valkey or Redis, on the machine first, then in Debian's packages. */
export async function findRedisPrograms(
  home: string,
  user: SystemUser | null,
  progress: Progress,
): Promise<RedisPrograms> {
  const installed = await findInstalledRedis(user);
  if (installed) return installed;
  const reasons: string[] = [];
  for (const recipe of REDIS_RECIPES) {
    try {
      const found = await fromDebian(recipe, await fetchFromDebian(recipe, home, user, progress), user);
      if (found) return found;
      reasons.push(`The server of Debian ${recipe.suite} does not run here.`);
    } catch (error) {
      reasons.push(errorText(error));
    }
  }
  const why = ['No Valkey or Redis server is on this machine.', ...new Set(reasons)].join(' ');
  throw new EngineUnavailable({ engine: 'valkey', why, fix: REDIS_FIX });
}

/** The server that REDIS_SERVER_BIN names, or one on PATH; fetches nothing. */
export async function findInstalledRedis(user: SystemUser | null): Promise<RedisPrograms | null> {
  const chosen = process.env['REDIS_SERVER_BIN'];
  if (chosen) {
    const found = await probe({ command: chosen, args: [], env: cleanEnvironment() }, chosen, user);
    if (found) return found;
    const readable = await access(chosen, constants.X_OK).then(
      () => 'is no Valkey or Redis of 6.2 or newer that its user can run',
      () => 'cannot be executed',
    );
    throw new EngineUnavailable({
      engine: 'valkey',
      why: `REDIS_SERVER_BIN (${chosen}) ${readable}.`,
      fix: REDIS_FIX,
    });
  }
  for (const name of ['valkey-server', 'redis-server']) {
    const program = await findProgram(name);
    const found =
      program && (await probe({ command: program, args: [], env: cleanEnvironment() }, program, user));
    if (found) return found;
  }
  return null;
}

/** A server that an earlier run left in the cache; fetches nothing. */
export async function findCachedRedis(home: string, user: SystemUser | null): Promise<RedisPrograms | null> {
  for (const recipe of REDIS_RECIPES) {
    const unpacked = await findUnpacked(recipe, home, user);
    const found = unpacked && (await fromDebian(recipe, unpacked, user));
    if (found) return found;
  }
  return null;
}

async function fromDebian(
  recipe: DebianRecipe,
  unpacked: UnpackedPrograms,
  user: SystemUser | null,
): Promise<RedisPrograms | null> {
  const [proof] = recipe.proofs;
  return proof === undefined ? null : probe(unpacked.command(proof), unpacked.root, user);
}

async function probe(server: Command, where: string, user: SystemUser | null): Promise<RedisPrograms | null> {
  const { code, stdout } = await run(server.command, [...server.args, '--version'], {
    user,
    env: server.env,
    timeoutMs: 20_000,
  });
  const version = /\bv=(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (code !== 0 || !version) return null;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  // BullMQ needs commands of 6.2.
  if (major < 6 || (major === 6 && minor < 2)) return null;
  // Valkey 8 greets as "Server v=…" or "Valkey server v=…"; Redis always names itself.
  const kind = /^redis server/i.test(stdout.trim()) ? 'redis' : 'valkey';
  return { server, kind, version: version[0].slice(2), where };
}
