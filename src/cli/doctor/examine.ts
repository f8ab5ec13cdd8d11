import { existsSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { freemem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { surveyEngines, whyNoListening } from '../../../providers/engines/index.js';
import { localUrl, readSettings, SettingsError, type Settings } from '../../kernel/config.js';
import { chooseBundledProviders } from '../../roots/bundled-providers.js';
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
    ...checkHome(home),
    checkMemory(),
    await checkLocalhost(),
    await checkPort(settings, home),
    ...(await checkEngines(settings, home)),
  ];
}

function settingsOrProblems(env: NodeJS.ProcessEnv, cwd: string): Settings | Check[] {
  try {
    const settings = readSettings(env, cwd);
    chooseBundledProviders(settings.providers);
    return settings;
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

/** The folder itself may not be there yet; then the nearest one above it must let us make it, and has its disk. */
function checkHome(home: string): Check[] {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    // Tried, since permissions do not tell it: root has them in /proc and on a disk that is mounted read-only.
    rmdirSync(mkdtempSync(join(folder, '.souk-doctor-')));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [
      {
        name: 'SOUK_HOME',
        verdict: 'bad',
        found: `nothing can be made in ${folder} (${error.message.split(',')[0]})`,
        fix: 'Set SOUK_HOME to a folder of your own.',
      },
    ];
  }
  const found = home === folder ? home : `${home} (will be made)`;
  return [{ name: 'SOUK_HOME', verdict: 'good', found }, checkDisk(folder)];
}

function checkDisk(folder: string): Check {
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

async function checkPort({ host, port }: Settings, home: string): Promise<Check> {
  const obstacle = await whyNoListening(port, host);
  if (obstacle === null)
    return { name: 'port', verdict: 'good', found: port === 0 ? 'any free one' : `${port} is free` };
  if (!('code' in obstacle) || obstacle.code !== 'EADDRINUSE')
    return {
      name: 'port',
      verdict: 'bad',
      found: `nothing can listen on port ${port} of ${host} (${obstacle.message})`,
      fix: "Set HOST to one of this machine's own addresses, and PORT to one above 1023.",
    };
  if (await answersAsSouk(localUrl(host, port)))
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
