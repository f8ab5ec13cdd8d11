import { CONFIG_BYTES_MAX } from '../apps/environment.js';
import { appErrors } from '../apps/apps.errors.js';
import { provisioningErrors } from './provisioning.errors.js';

/** One change that a provider makes; null unsets. Names are the provider's own, with their prefix. */
export interface AddonConfigChange {
  name: string;
  value: string | null;
}

/** A provider's config after its changes, in their order, and the names that really changed. */
export function applyAddonConfig(
  before: Record<string, string>,
  changes: readonly AddonConfigChange[],
  declared: readonly string[],
): { after: Record<string, string>; set: string[]; unset: string[] } {
  const after = { ...before };
  for (const { name, value } of changes) {
    if (!declared.includes(name))
      throw provisioningErrors.config_var_undeclared({
        message: `${JSON.stringify(name.slice(0, 60))} is not a config var that the manifest declares; it declares ${declared.join(', ')}.`,
      });
    if (value?.includes('\0') === true) throw appErrors.config_value_invalid();
    if (value === null) delete after[name];
    else after[name] = value;
  }
  const bytes = Object.entries(after).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (bytes > CONFIG_BYTES_MAX) throw appErrors.config_too_large();
  return {
    after,
    set: Object.keys(after).filter((name) => before[name] !== after[name]),
    unset: Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
  };
}

/** As the API gives it: a list, by name. */
export function listAddonConfig(config: Record<string, string>): { name: string; value: string }[] {
  return Object.keys(config)
    .sort()
    .map((name) => ({ name, value: config[name] ?? '' }));
}
