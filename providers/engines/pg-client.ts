import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchFromDebian, findUnpacked, type UnpackedPrograms } from './apt-cache.js';
import { PG_CLIENT_RECIPE } from './debian-recipes.js';
import { cleanEnvironment, findProgram, refuseDisabled } from './environment.js';
import { errorText } from './errors.js';
import { run } from './processes.js';
import { dropTo } from './system-user.js';
import { type Command, EngineUnavailable, type PgClient, type Progress } from './types.js';

/** pg_dump refuses a server newer than itself, and the embedded server is 17. */
const OLDEST_MAJOR = 17;

export const PG_CLIENT_FIX = `Install postgresql-client-${OLDEST_MAJOR}.`;

/** The name of each tool's file. */
const TOOLS = { psql: 'psql', pgDump: 'pg_dump', pgRestore: 'pg_restore', pgBasebackup: 'pg_basebackup' };

/** Gives PostgreSQL's client tools of major 17 or newer, from the machine or else from Debian's packages. */
export async function findPgClient(options: { home: string; progress?: Progress }): Promise<PgClient> {
  refuseDisabled('pg-client');
  const installed = await findInstalledPgClient();
  if (installed) return installed;
  const user = await dropTo('pg-client');
  try {
    return await fromDebian(
      await fetchFromDebian(PG_CLIENT_RECIPE, options.home, user, options.progress ?? (() => undefined)),
    );
  } catch (error) {
    throw new EngineUnavailable({
      engine: 'pg-client',
      why: `No psql, pg_dump and pg_restore of PostgreSQL ${OLDEST_MAJOR} or newer are here. ${errorText(error)}`,
      fix: PG_CLIENT_FIX,
    });
  }
}

/** The tools when an earlier run left them in the cache; fetches nothing. */
export async function findCachedPgClient(home: string): Promise<PgClient | null> {
  const unpacked = await findUnpacked(PG_CLIENT_RECIPE, home, await dropTo('pg-client'));
  return unpacked && fromDebian(unpacked);
}

/** The tools that the machine has itself, newest of Debian's folders first, then PATH. */
export async function findInstalledPgClient(): Promise<PgClient | null> {
  const debian = '/usr/lib/postgresql';
  const majors = (await readdir(debian).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const onPath = await findProgram('pg_dump');
  const folders = [
    ...majors.map((major) => join(debian, major, 'bin')),
    ...(onPath ? [dirname(onPath)] : []),
  ];
  for (const folder of folders) {
    const env = cleanEnvironment();
    const client = await describe((tool) => ({ command: join(folder, tool), args: [], env }));
    if (client) return client;
  }
  return null;
}

async function fromDebian(unpacked: UnpackedPrograms): Promise<PgClient> {
  const client = await describe((tool) => unpacked.command(`usr/lib/postgresql/${OLDEST_MAJOR}/bin/${tool}`));
  if (!client) throw new Error('The client tools from Debian do not run here.');
  return client;
}

/** Null unless every tool runs and is new enough. */
async function describe(commandOf: (tool: string) => Command): Promise<PgClient | null> {
  let version: string | null = null;
  for (const tool of Object.values(TOOLS)) {
    const { command, args, env } = commandOf(tool);
    const { code, stdout } = await run(command, [...args, '--version'], { env, timeoutMs: 20_000 });
    const found = /(\d+)(\.\d+)*/.exec(stdout);
    if (code !== 0 || !found || Number(found[1]) < OLDEST_MAJOR) return null;
    version ??= found[0];
  }
  return {
    psql: commandOf(TOOLS.psql),
    pgDump: commandOf(TOOLS.pgDump),
    pgRestore: commandOf(TOOLS.pgRestore),
    pgBasebackup: commandOf(TOOLS.pgBasebackup),
    version: version ?? '',
  };
}
