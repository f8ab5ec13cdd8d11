import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { freemem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { isPortFree, surveyEngines } from '../../../providers/engines/index.js';
import { readSettings, SettingsError, type Settings } from '../../kernel/config.js';
import { readCredentials } from '../../roots/credentials.js';
import type { Check } from './check.js';
import { checkDatabase, checkRedis } from './services.js';

const MIB = 1024 * 1024;
const DISK_MIN_BYTES = 1024 * MIB;
const MEMORY_MIN_BYTES = 512 * MIB;

/** Looks at everything that a start depends on. Starts nothing and changes nothing. */
export async function examine(env: NodeJS.ProcessEnv, cwd: string): Promise<Check[]> {
  const settings = settingsOrProblems(env, cwd);
  if (Array.isArray(settings)) return [checkNode(), ...settings];
  const home = resolve(settings.home);
  return [
    checkNode(),
    { name: 'settings', verdict: 'good', found: 'the environment makes sense' },
    checkHome(home),
    checkDisk(home),
    checkMemory(),
    await checkLocalhost(),
    await checkPort(settings, home),
    ...(await checkEngines(settings, home)),
  ];
}

function settingsOrProblems(env: NodeJS.ProcessEnv, cwd: string): Settings | Check[] {
  try {
    return readSettings(env, cwd);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map((problem) => ({ name: 'settings', verdict: 'bad', found: problem }));
  }
}

function checkNode(): Check {
  return {
    name: 'Node.js',
    verdict: 'good',
    found: `${process.versions.node} on ${process.platform}-${process.arch}`,
  };
}

/** The folder itself may not be there yet; then the nearest one above it must let us make it. */
function checkHome(home: string): Check {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name: 'SOUK_HOME', verdict: 'good', found: home === folder ? home : `${home} (will be made)` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      name: 'SOUK_HOME',
      verdict: 'bad',
      found: `${folder} cannot be written to`,
      fix: 'Set SOUK_HOME to a folder of your own.',
    };
  }
}

function checkDisk(home: string): Check {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${Math.floor(free / MIB)} MB free`;
  return free >= DISK_MIN_BYTES
    ? { name: 'disk', verdict: 'good', found }
    : { name: 'disk', verdict: 'bad', found, fix: 'Free at least 1 GB, or set SOUK_HOME to a larger disk.' };
}

function checkMemory(): Check {
  const found = `${Math.floor(freemem() / MIB)} MB free`;
  return freemem() >= MEMORY_MIN_BYTES
    ? { name: 'memory', verdict: 'good', found }
    : { name: 'memory', verdict: 'gap', found, fix: 'Souk and its engines want about 512 MB.' };
}

/** Add-on URLs name `localhost`; a machine that does not know it cannot use them. */
async function checkLocalhost(): Promise<Check> {
  const found = await lookup('localhost', { all: true }).catch(() => []);
  const addresses = found.map(({ address }) => address);
  return addresses.some((address) => address === '127.0.0.1' || address === '::1')
    ? { name: 'localhost', verdict: 'good', found: addresses.join(', ') }
    : {
        name: 'localhost',
        verdict: 'bad',
        found: 'it does not resolve to this machine',
        fix: 'Add "127.0.0.1 localhost" to /etc/hosts.',
      };
}

async function checkPort({ port }: Settings, home: string): Promise<Check> {
  if (port === 0 || (await isPortFree(port)))
    return { name: 'port', verdict: 'good', found: port === 0 ? 'any free one' : `${port} is free` };
  if (await answersAsSouk(`http://127.0.0.1:${port}`))
    return {
      name: 'port',
      verdict: 'good',
      found: `Souk itself is up on ${port}${readCredentials(home) === null ? ' (from another folder)' : ''}`,
    };
  return {
    name: 'port',
    verdict: 'bad',
    found: `${port} is used by another program`,
    fix: 'Stop that program, or choose another port: PORT=5001.',
  };
}

async function answersAsSouk(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(2_000) });
    return response.ok;
  } catch (error) {
    // Whatever is there does not speak HTTP, which is an answer too.
    return !(error instanceof Error);
  }
}

/** Needed: a PostgreSQL. The rest are capabilities, named where they are missing. */
async function checkEngines(settings: Settings, home: string): Promise<Check[]> {
  const given = [
    ...(settings.databaseUrl === null ? [] : [await checkDatabase(settings.databaseUrl)]),
    ...(settings.redisUrl === null ? [] : [await checkRedis(settings.redisUrl)]),
  ];
  const reports = await surveyEngines(home);
  return [
    ...given,
    ...reports.map((report): Check => {
      if (report.available)
        return {
          name: report.engine,
          verdict: 'good',
          found: [report.version, report.where].filter((part) => part !== undefined).join(', '),
        };
      const needed =
        report.engine === 'postgresql' ||
        (report.engine === 'valkey' && settings.queue === 'redis' && settings.redisUrl === null);
      return {
        name: report.engine,
        verdict: needed ? 'bad' : 'gap',
        found: report.missing?.why ?? 'missing',
        fix: report.missing?.fix,
      };
    }),
  ];
}
