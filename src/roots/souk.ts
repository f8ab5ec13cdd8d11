import { SYSTEM } from '../accounts/actor.js';
import { Readiness } from '../api/ops/readiness.js';
import { ImportManifest } from '../catalog/commands/import-manifest.js';
import type { Config, Settings } from '../kernel/config.js';
import { crashPointsFromEnv } from '../kernel/crash-points.js';
import { createLogger, type Logger } from '../kernel/log.js';
import type { Progress } from '../kernel/progress.js';
import { bringUp } from './bring-up.js';
import { has, startBroker, type Broker } from './broker.js';
import { findBundledProviders, ProviderProcess } from './bundled-providers.js';
import { readCredentials, writeCredentials } from './credentials.js';

/** A whole Souk that runs: engines, broker, bundled providers, as the role asks. */
export interface Souk {
  config: Config;
  log: Logger;
  /** What could not be had, in sentences. */
  missing: string[];
  /** Ends everything in order; nothing that is under way is lost. */
  stop: () => Promise<void>;
}

/** Starts everything that the settings ask for. What was started is stopped again when a later part fails. */
export async function startSouk(settings: Settings, progress: Progress): Promise<Souk> {
  const brought = await bringUp(settings, progress);
  const { config } = brought;
  const log = createLogger(config.logLevel, { role: config.role });
  const stops: (() => Promise<void>)[] = [];
  // Other processes of the same folder may still need the engines; only the one that is everything ends them.
  if (config.role === 'all') stops.push(brought.stopEngines);
  const stop = async () => {
    while (stops.length > 0) await stops.pop()?.();
  };
  try {
    progress.step('Migrating the database and starting the broker');
    const broker =
      has(config.role, 'api') || config.role !== 'providers' ? await startBroker(partsOf(config, log)) : null;
    if (broker !== null) stops.push(broker.stop);
    const missing = brought.missing.map((one) => `${one.engine}: ${one.why} ${one.fix}`);
    if (has(config.role, 'providers')) {
      const providers = await startProviders(settings, config, log, broker, progress, missing);
      // Providers outlive the broker's draining: calls that are under way need them.
      stops.splice(config.role === 'all' ? 1 : 0, 0, async () => {
        await Promise.all(providers.map((provider) => provider.stop()));
      });
    }
    rememberAddress(config);
    progress.done();
    return { config, log, missing, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function partsOf(config: Config, log: Logger) {
  return { config, log, crashPoints: crashPointsFromEnv(process.env.SOUK_CRASH_AT) };
}

async function startProviders(
  settings: Settings,
  config: Config,
  log: Logger,
  broker: Broker | null,
  progress: Progress,
  missing: string[],
): Promise<ProviderProcess[]> {
  const found = await findBundledProviders(config, settings.providers);
  // A process with the role `providers` alone still has to tell the catalogue where they are.
  const home =
    broker ?? (found.length > 0 ? await startBroker(partsOf({ ...config, role: 'providers' }, log)) : null);
  const running: ProviderProcess[] = [];
  for (const provider of found) {
    progress.step(`Starting the ${provider.name} provider`);
    const process = new ProviderProcess(provider, config, log);
    running.push(process);
    try {
      await process.start();
      await home?.app.get(ImportManifest).run(SYSTEM, provider.manifest, { bundled: true });
      broker?.app.get(Readiness).add(`provider ${provider.name}`, async () => {
        if (!(await process.healthy())) throw new Error('not healthy');
      });
    } catch (error) {
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
