import { dirname, join } from 'node:path';
import { Environment, readProviderSettings, type ProviderSettings } from './environment.js';
import { findManifest, readManifest, type ProviderManifest } from './manifest.js';

/** What a bundled provider's manifest holds where the installation puts its own secret. */
const NO_SECRET = 'set-when-installed';

const HOUR_MS = 3_600_000;

/** Everything that a program made by `defineProvider` is told. */
export interface DefinedSettings extends ProviderSettings {
  manifest: ProviderManifest;
  ssoSalt: string;
  basePath: string;
  ssoPath: string;
  publicUrl: string | null;
  databaseUrl: string | null;
  clientSecret: string | null;
  tokenUrl: string | null;
  webhookSecret: string | null;
  asyncDeadlineMs: number;
}

/** Reads the environment, and the manifest for what is not in it; throws one sentence for each bad value. */
export function readDefinedSettings(moduleUrl: string, given: NodeJS.ProcessEnv): DefinedSettings {
  const file = findManifest(moduleUrl, given.SOUK_MANIFEST?.trim() || null);
  const manifest = readManifest(moduleUrl, file);
  const { password, sso_salt: salt, production } = manifest.api;
  const base = new URL(production?.base_url ?? 'http://127.0.0.1/heroku/resources');
  const env = new Environment({
    ...given,
    HOST: given.HOST ?? '127.0.0.1',
    PORT: given.PORT ?? (base.port === '' ? '0' : base.port),
    SOUK_HOME: given.SOUK_HOME ?? join(dirname(file), '.souk'),
    SOUK_PROVIDER_SLUG: given.SOUK_PROVIDER_SLUG ?? manifest.id,
    SOUK_PROVIDER_PASSWORD: given.SOUK_PROVIDER_PASSWORD ?? secretOf(password),
    SOUK_PROVIDER_SSO_SALT: given.SOUK_PROVIDER_SSO_SALT ?? secretOf(salt),
  });
  const common = readProviderSettings(env);
  const settings = {
    ...common,
    // Whoever starts several providers gives them one folder.
    home: given.SOUK_HOME === undefined ? common.home : join(common.home, 'providers', manifest.id),
    manifest,
    ssoSalt: env.required('SOUK_PROVIDER_SSO_SALT'),
    basePath: base.pathname.replace(/\/+$/, ''),
    ssoPath: production?.sso_url === undefined ? '/sso' : new URL(production.sso_url).pathname,
    publicUrl: env.text('SOUK_PROVIDER_PUBLIC_URL'),
    databaseUrl: env.text('SOUK_PROVIDER_DATABASE_URL'),
    clientSecret: env.text('SOUK_PROVIDER_CLIENT_SECRET'),
    tokenUrl: env.text('SOUK_PROVIDER_TOKEN_URL'),
    webhookSecret: env.text('SOUK_PROVIDER_WEBHOOK_SECRET'),
    asyncDeadlineMs: env.number('SOUK_PROVIDER_ASYNC_DEADLINE_MS', 11 * HOUR_MS, {
      min: 1,
      max: 240 * HOUR_MS,
    }),
  };
  env.check();
  return settings;
}

function secretOf(value: string | undefined): string | undefined {
  return value === NO_SECRET ? undefined : value;
}
