import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of an add-on manifest that its own provider reads. */
export interface ProviderManifest {
  id: string;
  api: { config_vars: string[] };
  plans: { id: string; name: string; default?: boolean; features: Record<string, unknown> }[];
}

/** Reads the provider's manifest: `SOUK_MANIFEST`, or the one in the provider's folder, from source and from dist. */
export function readManifest(moduleUrl: string, given: string | null): ProviderManifest {
  const here = dirname(fileURLToPath(moduleUrl));
  const source = here.split(`${sep}dist${sep}`).join(sep);
  const candidates =
    given === null ? [here, source].map((folder) => join(folder, 'addon-manifest.json')) : [given];
  const file = candidates.find((one) => existsSync(one));
  if (file === undefined) throw new Error(`There is no manifest at ${candidates.join(' or ')}.`);
  return JSON.parse(readFileSync(file, 'utf8')) as ProviderManifest;
}
