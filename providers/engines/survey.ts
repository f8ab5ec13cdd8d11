import { whyNoApt } from './apt-cache.js';
import { isDisabled } from './environment.js';
import { findCachedPgClient, findInstalledPgClient, PG_CLIENT_FIX } from './pg-client.js';
import {
  installedFolders,
  OLDEST_MAJOR,
  POSTGRES_FIX,
  probeServer,
  surveyNpmPackage,
} from './postgres-programs.js';
import { findCachedRedis, findInstalledRedis, REDIS_FIX } from './redis-programs.js';
import { dropTo, requireNamedUser } from './system-user.js';
import { EngineUnavailable, type EngineReport, type Missing } from './types.js';

/** Says which engines can be had here and from where; starts nothing, fetches nothing, changes nothing. */
export async function surveyEngines(home: string): Promise<EngineReport[]> {
  return Promise.all([
    report('postgresql', () => surveyPostgres(home)),
    report('valkey', () => surveyRedis(home)),
    report('pg-client', () => surveyPgClient(home)),
  ]);
}

type Finding = Omit<EngineReport, 'engine'>;

async function report(engine: string, survey: () => Promise<Finding>): Promise<EngineReport> {
  const missing = (why: string, fix: string): EngineReport => ({
    engine,
    available: false,
    missing: { engine, why, fix },
  });
  if (isDisabled(engine)) {
    return missing(
      'It is switched off by SOUK_ENGINES_DISABLE.',
      `Take ${engine} out of SOUK_ENGINES_DISABLE.`,
    );
  }
  try {
    return { engine, ...(await survey()) };
  } catch (error) {
    if (error instanceof EngineUnavailable) return missing(error.missing.why, error.missing.fix);
    throw error;
  }
}

async function surveyPostgres(home: string): Promise<Finding> {
  requireNamedUser('postgresql');
  const user = await dropTo('postgresql');
  const fromNpm = await surveyNpmPackage(home, user);
  if (fromNpm) return { available: true, ...fromNpm };
  for (const folder of await installedFolders()) {
    const found = await probeServer(folder, user);
    if (found && found.major >= OLDEST_MAJOR)
      return { available: true, version: found.version, where: folder };
  }
  return absent('postgresql', `No server of PostgreSQL ${OLDEST_MAJOR} or newer runs here.`, POSTGRES_FIX);
}

async function surveyRedis(home: string): Promise<Finding> {
  const user = await dropTo('valkey');
  const found = (await findInstalledRedis(user)) ?? (await findCachedRedis(home, user));
  if (found) return { available: true, version: found.version, where: found.where };
  return fetchable('valkey', REDIS_FIX);
}

async function surveyPgClient(home: string): Promise<Finding> {
  const found = (await findInstalledPgClient()) ?? (await findCachedPgClient(home));
  if (found) {
    const { command, args } = found.pgDump;
    return { available: true, version: found.version, where: args.at(-1) ?? command };
  }
  return fetchable('pg-client', PG_CLIENT_FIX);
}

async function fetchable(engine: string, fix: string): Promise<Finding> {
  const obstacle = await whyNoApt();
  return obstacle === null
    ? { available: true, where: 'can be fetched from Debian' }
    : absent(engine, obstacle, fix);
}

function absent(engine: string, why: string, fix: string): Finding {
  const missing: Missing = { engine, why, fix };
  return { available: false, missing };
}
