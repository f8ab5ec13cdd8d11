import type { ProviderManifest } from '../kit/index.js';

/** What a plan grants. */
export interface Plan {
  id: string;
  storageBytes: number;
  connections: number;
}

/** The plans of the manifest, the default first. The limits that are shown to customers are those that are enforced. */
export function readPlans(manifest: ProviderManifest): Plan[] {
  const sorted = [...manifest.plans].sort((a, b) => Number(b.default ?? false) - Number(a.default ?? false));
  return sorted.map(({ id, features }) => ({
    id,
    storageBytes: positive(id, 'storage_bytes', features),
    connections: positive(id, 'connections', features),
  }));
}

/** Temporary files of one session may be large enough for the index of a table that fills the plan, within reason. */
const TEMP_BYTES_MAX = 4 * 1024 ** 3;

/** The plan's `temp_file_limit`, as PostgreSQL writes it. */
export function tempFileLimit({ storageBytes }: Plan): string {
  return `${Math.ceil(Math.min(storageBytes, TEMP_BYTES_MAX) / 1024)}kB`;
}

function positive(plan: string, feature: string, features: Record<string, unknown>): number {
  const value = features[feature];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`Plan ${plan} of the manifest needs the feature "${feature}" as a whole number above 0.`);
}

const UNITS: [string, number][] = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['kB', 1024],
];

/** A size as people say it, e.g. "1 GB". */
export function sayBytes(bytes: number): string {
  const [unit, size] = UNITS.find(([, one]) => bytes >= one) ?? ['bytes', 1];
  return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
}
