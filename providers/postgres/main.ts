import { createLogger, Environment, readManifest, runMain, runProgram } from '../kit/index.js';
import { startProvider } from './provider.js';
import { readPlanLimits, readSettings } from './settings.js';

await runMain(async () => {
  const env = new Environment(process.env);
  const settings = readSettings(env);
  const log = createLogger(settings.logLevel, settings.slug);
  const plans = readPlanLimits(env, readManifest(import.meta.url, settings.manifestFile));
  await runProgram({ ...settings, log, start: () => startProvider(settings, plans, log) });
});
