import {
  Environment,
  readProviderSettings,
  type ProviderManifest,
  type ProviderSettings,
} from '../kit/index.js';
import { type Plan, readPlans } from './plans.js';

/** Everything this program is told when it is started. */
export interface Settings extends ProviderSettings {
  manifestFile: string | null;
  /** The admin URL of a cluster that is not ours to start or stop; null: we run our own. */
  clusterUrl: string | null;
  /** The database on the cluster for this program's own tables. */
  providerDatabase: string;
  quotaIntervalMs: number;
  /** Longer statements, and longer idling inside a transaction, are cut short. */
  statementMaxMs: number;
  /** A transaction older than this is ended, however busy it is. */
  transactionMaxMs: number;
  /** Of our own cluster; null: as many as the machine's memory carries. */
  maxConnections: number | null;
  /** So many times the connections of the cluster are sold. */
  overcommit: number;
  /** Loses data in a power cut: for tests only. */
  unsafeFast: boolean;
}

const DAY_MS = 86_400_000;

/** Reads the environment once; throws one sentence for each bad value. */
export function readSettings(env: Environment): Settings {
  const settings = {
    ...readProviderSettings(env),
    manifestFile: env.text('SOUK_MANIFEST'),
    clusterUrl: env.text('SOUK_POSTGRES_CLUSTER_URL'),
    providerDatabase: env.text('SOUK_POSTGRES_PROVIDER_DATABASE') ?? 'provider',
    quotaIntervalMs: env.number('SOUK_QUOTA_INTERVAL_MS', 30_000, { min: 50, max: DAY_MS }),
    statementMaxMs: env.number('SOUK_STATEMENT_MAX_MS', 600_000, { min: 100, max: DAY_MS }),
    transactionMaxMs: env.number('SOUK_POSTGRES_TRANSACTION_MAX_MS', 3_600_000, { min: 100, max: DAY_MS }),
    maxConnections:
      env.text('SOUK_POSTGRES_MAX_CONNECTIONS') === null
        ? null
        : env.number('SOUK_POSTGRES_MAX_CONNECTIONS', 300, { min: 70, max: 10_000 }),
    overcommit: env.number('SOUK_POSTGRES_OVERCOMMIT', 10, { min: 1, max: 1_000 }),
    unsafeFast: env.flag('SOUK_POSTGRES_UNSAFE_FAST'),
  };
  env.check();
  return settings;
}

/** The plans of the manifest; `SOUK_POSTGRES_QUOTA_BYTES_ESSENTIAL_0` and the like set another limit. */
export function readPlanLimits(env: Environment, manifest: ProviderManifest): Plan[] {
  const plans = readPlans(manifest).map((plan) => {
    const variable = `SOUK_POSTGRES_QUOTA_BYTES_${plan.id.toUpperCase().replaceAll('-', '_')}`;
    const bounds = { min: 1, max: Number.MAX_SAFE_INTEGER };
    return { ...plan, storageBytes: env.number(variable, plan.storageBytes, bounds) };
  });
  env.check();
  return plans;
}
