import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { foldersElsewhere } from '../../providers/engines/index.js';
import { SYSTEM } from '../accounts/actor.js';
import { Readiness } from '../api/ops/readiness.js';
import { ImportManifest } from '../catalog/commands/import-manifest.js';
import { SetClientSecret } from '../catalog/commands/set-client-secret.js';
import type { Config, Settings } from '../kernel/config.js';
import { crashPointsFromEnv } from '../kernel/crash-points.js';
import { createLogger, type Logger } from '../kernel/log.js';
import type { Progress } from '../kernel/progress.js';
import { Secret } from '../kernel/secret.js';
import { bringUp } from './bring-up.js';
import { startBroker, type Broker } from './broker.js';
import { chooseBundledProviders, findBundledProviders, ProviderProcess } from './bundled-providers.js';
import { readCredentials, writeCredentials } from './credentials.js';
import { has } from './role.js';
import { stopAll, stopAllAfterFailure } from './stop-all.js';

const GIVE_UP_MS = 3_000;

/** A whole Souk that runs: engines, broker, bundled providers, as the role asks. */
export interface Souk {
  config: Config;
  log: Logger;
  /** What could not be had, in sentences. */
  missing: string[];
  /** Where this Souk keeps what it makes: its folder, and what of its engines lies elsewhere. */
  folders: string[];
  /** Ends everything in order; nothing that is under way is lost. */
  stop: () => Promise<void>;
}

/**
 * Starts everything that the settings ask for. What was started is stopped again when a later part fails, or when the
 * signal gives the start up.
 */
export async function startSouk(settings: Settings, progress: Progress, signal: AbortSignal): Promise<Souk> {
  // Before anything is started: a name that does not exist is a mistake in the settings.
  const chosen = has(settings.role, 'providers') ? chooseBundledProviders(settings.providers) : [];
  const brought = await bringUp(settings, progress, signal);
  const { config } = brought;
  const log = createLogger(config.logLevel, { role: config.role });
  const stops: (() => Promise<void>)[] = [];
  // Other processes of the same folder may still need the engines; only the one that is everything ends them.
  if (config.role === 'all') stops.push(brought.stopEngines);
  try {
    signal.throwIfAborted();
    progress.step('Migrating the database and starting the broker');
    const broker =
      config.role === 'providers'
        ? null
        : await unlessGivenUp(
            startBroker(partsOf(config, log), (app) => expectProviders(app, chosen)),
            signal,
          );
    if (broker !== null) stops.push(broker.stop);
    signal.throwIfAborted();
    const missing = brought.missing.map((one) => `${one.engine}: ${one.why} ${one.fix}`);
    if (has(config.role, 'providers')) {
      const providers = await startProviders({ chosen, config, log, broker, progress, missing, signal });
      // Providers outlive the broker's draining: calls that are under way need them.
      stops.splice(config.role === 'all' ? 1 : 0, 0, async () => {
        await Promise.all(providers.map((provider) => provider.stop()));
      });
    }
    rememberAddress(config);
    progress.done();
    const folders = [config.home, ...(await foldersElsewhere(config.home))];
    return { config, log, missing, folders, stop: () => stopAll(stops) };
  } catch (error) {
    await stopAllAfterFailure(stops, (sentence) => log.error(sentence));
    throw error;
  }
}

/**
 * A start that is given up is waited for a little, so that it can be stopped in order; but one that waits for a server
 * which is not there may never end, and then goes with the process.
 */
async function unlessGivenUp<T>(starting: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const givenUp = async (): Promise<never> => {
    if (!signal.aborted) await once(signal, 'abort', { signal: over.signal });
    await wait(GIVE_UP_MS, undefined, { signal: over.signal });
    throw signal.reason;
  };
  try {
    return await Promise.race([starting, givenUp()]);
  } finally {
    over.abort();
  }
}

function partsOf(config: Config, log: Logger) {
  return { config, log, crashPoints: crashPointsFromEnv(process.env.SOUK_CRASH_AT) };
}

/** Not ready before they are up, from the first request on. */
function expectProviders(app: INestApplicationContext, names: string[]): void {
  for (const name of names) app.get(Readiness).add(checkName(name), notUpYet);
}

function checkName(provider: string): string {
  return `provider ${provider}`;
}

function notUpYet(): Promise<never> {
  return Promise.reject(new Error('not up yet'));
}

interface ProvidersStart {
  chosen: string[];
  config: Config;
  log: Logger;
  broker: Broker | null;
  progress: Progress;
  missing: string[];
  signal: AbortSignal;
}

/** Starts them one after the other; one that does not start is named as missing, unless the whole start is given up. */
async function startProviders({
  chosen,
  config,
  log,
  broker,
  progress,
  missing,
  signal,
}: ProvidersStart): Promise<ProviderProcess[]> {
  const found = await findBundledProviders(config, chosen);
  // A process with the role `providers` alone still has to tell the catalogue where they are.
  const home =
    broker ?? (found.length > 0 ? await startBroker(partsOf({ ...config, role: 'providers' }, log)) : null);
  const running: ProviderProcess[] = [];
  for (const provider of found) {
    progress.step(`Starting the ${provider.name} provider`);
    const process = new ProviderProcess(provider, config, log);
    running.push(process);
    try {
      await process.start(signal);
      await home?.app.get(ImportManifest).run(SYSTEM, provider.manifest, { bundled: true });
      await home?.app.get(SetClientSecret).run(SYSTEM, provider.slug, new Secret(provider.clientSecret));
      broker?.app.get(Readiness).add(checkName(provider.name), async () => {
        if (!(await process.healthy())) throw new Error('not healthy');
      });
    } catch (error) {
      if (signal.aborted) {
        await Promise.all(running.map((one) => one.stop()));
        if (broker === null) await home?.stop();
        throw error;
      }
      const why = error instanceof Error ? error.message : String(error);
      missing.push(`${provider.slug}: ${why}`);
      progress.note(`${provider.slug} is not available: ${why}`);
      log.error({ provider: provider.name, err: error }, 'a bundled provider is not available');
      await process.stop();
      running.pop();
    }
  }
  if (broker === null) await home?.stop();
  return running;
}

/** Lets the `souk` command find this server by the folder alone. */
function rememberAddress(config: Config): void {
  const known = readCredentials(config.home);
  if (known !== null && has(config.role, 'api') && known.url !== config.publicUrl)
    writeCredentials(config.home, { ...known, url: config.publicUrl });
}
