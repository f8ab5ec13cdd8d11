import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of an add-on manifest that its own provider reads. */
export interface ProviderManifest {
  id: string;
  api: {
    config_vars: string[];
    password?: string;
    sso_salt?: string;
    requires?: string[];
    production?: { base_url?: string; sso_url?: string };
  };
  souk?: { actions?: { name: string }[] };
  plans: {
    id: string;
    name: string;
    description?: string;
    default?: boolean;
    features: Record<string, unknown>;
  }[];
}

/** Reads the provider's manifest: `SOUK_MANIFEST`, or the one in the provider's folder, from source and from dist. */
export function readManifest(moduleUrl: string, given: string | null): ProviderManifest {
  return JSON.parse(readFileSync(findManifest(moduleUrl, given), 'utf8')) as ProviderManifest;
}

/** The file of that manifest. */
export function findManifest(moduleUrl: string, given: string | null): string {
  const here = dirname(fileURLToPath(moduleUrl));
  const source = here.split(`${sep}dist${sep}`).join(sep);
  const candidates =
    given === null ? [here, source].map((folder) => join(folder, 'addon-manifest.json')) : [given];
  const file = candidates.find((one) => existsSync(one));
  if (file === undefined) throw new Error(`There is no manifest at ${candidates.join(' or ')}.`);
  return file;
}
