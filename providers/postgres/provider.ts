import { join } from 'node:path';
import {
  createPartnerServer,
  crashPointsFromEnv,
  describeError,
  KIT_MIGRATIONS,
  migrate,
  NoticeOutbox,
  NoticeRelay,
  Repeating,
  ResourceLock,
  Resources,
  ResourceStore,
  systemClock,
  Vault,
  type CrashPoints,
  type Logger,
  type RunningProvider,
} from '../kit/index.js';
import { type Databases, isHealthy, openDatabases } from './databases.js';
import { CapacityCheck } from './engine/capacity.js';
import { type Cluster, GivenCluster, OwnCluster, providerFolder } from './engine/cluster.js';
import { prepareCluster } from './engine/prepare-cluster.js';
import { Reclaimer } from './engine/reclaim.js';
import { SharedClusterEngine } from './engine/shared-cluster.js';
import { WriteStop } from './engine/write-stop.js';
import type { Plan } from './plans.js';
import { Activity } from './quota/activity.js';
import { LevelStore, QUOTA_MIGRATIONS } from './quota/level-store.js';
import { QuotaWatch } from './quota/quota-watch.js';
import type { Settings } from './settings.js';
import { LockGuard } from './watch/lock-guard.js';
import { Watchdog } from './watch/watchdog.js';

/** Longer than most creates, shorter than a platform's patience. */
const LOCK_WAIT_MS = 15_000;
const RESOURCES_AT_ONCE = 8;
const NOTICES_MS = 500;
const DELETES_MS = 5_000;
/** How often it is asked who is at work: one query of a millisecond or two for the whole cluster. */
const BUSY_QUOTA_MS = 100;
const BASE_PATH = '/heroku/resources';

/** What all parts of the running provider are built from. */
interface Ground {
  settings: Settings;
  plans: Plan[];
  log: Logger;
  cluster: Cluster;
  databases: Databases;
  store: ResourceStore;
  lock: ResourceLock;
  outbox: NoticeOutbox;
  crash: CrashPoints;
}

/** Brings the cluster up and puts the provider together; it is ready for requests when this resolves. */
export async function startProvider(
  settings: Settings,
  plans: Plan[],
  log: Logger,
): Promise<RunningProvider> {
  const { home, clusterUrl, providerDatabase, maxConnections, unsafeFast } = settings;
  const cluster =
    clusterUrl === null
      ? await OwnCluster.start({ home, maxConnections, unsafeFast, log })
      : new GivenCluster(clusterUrl);
  // A start that fails leaves no server behind, which nobody would stop.
  return orUndo(
    async () => {
      await prepareCluster(cluster, providerDatabase);
      const databases = openDatabases(cluster, providerDatabase, log);
      return orUndo(
        async () => putTogether(await prepareGround({ settings, plans, log, cluster, databases })),
        () => databases.close(),
        log,
      );
    },
    () => cluster.stop(),
    log,
  );
}

async function orUndo<T>(work: () => Promise<T>, undo: () => Promise<void>, log: Logger): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The first error says why there is no provider.
    await undo().catch((other: unknown) =>
      log.error({ error: describeError(other) }, 'a failed start could not be undone'),
    );
    throw error;
  }
}

async function putTogether(ground: Ground): Promise<RunningProvider> {
  const { settings, plans, log, cluster, databases, crash, store, lock } = ground;
  const capacity = new CapacityCheck({ store, plans, overcommit: settings.overcommit, log });
  log.info(await capacity.measure(databases.own), 'connections of the cluster that are sold');
  const { watch, quota, busyQuota } = watchQuota(ground);
  const resources = new Resources({
    database: databases.own,
    store,
    lock,
    engine: new SharedClusterEngine({
      cluster,
      admin: databases.engine,
      watch: databases.watch,
      plans,
      capacity,
      crash,
      log,
    }),
    crash,
    planChanged: () => quota.wake(),
  });
  const lockGuard = new LockGuard(cluster, settings.providerDatabase, log);
  const schedules = [lockGuard, quota, busyQuota, ...schedule(ground, resources)];
  const { slug, password } = settings;
  const healthy = () => isHealthy(databases);
  const healthFacts = async () => ({ connections: await capacity.measure(databases.watch) });
  const server = createPartnerServer({
    resources,
    slug,
    password,
    basePath: BASE_PATH,
    healthy,
    healthFacts,
    log,
  });
  // Last, for nothing would stop them where something after them failed.
  for (const one of schedules) one.start();
  return {
    server,
    stop: async () => {
      await Promise.all(schedules.map((one) => one.stop()));
      await watch.finish();
      await databases.close();
      await cluster.stop();
    },
  };
}

type Started = Pick<Ground, 'settings' | 'plans' | 'log' | 'cluster' | 'databases'>;

async function prepareGround(started: Started): Promise<Ground> {
  const { settings, databases } = started;
  const { home, masterKey } = settings;
  await migrate(databases.own, [...KIT_MIGRATIONS, ...QUOTA_MIGRATIONS]);
  const vault =
    masterKey === null
      ? await Vault.fromFile(join(providerFolder(home), 'master-key'))
      : Vault.fromText(masterKey);
  return {
    ...started,
    store: new ResourceStore(vault, systemClock),
    lock: new ResourceLock(databases.own, RESOURCES_AT_ONCE, LOCK_WAIT_MS),
    outbox: new NoticeOutbox(systemClock),
    crash: crashPointsFromEnv(settings.crashAt),
  };
}

function watchQuota({ settings, plans, log, cluster, databases, store, lock, outbox, crash }: Ground): {
  watch: QuotaWatch;
  quota: Repeating;
  busyQuota: Repeating;
} {
  const watch = new QuotaWatch({
    database: databases.own,
    resources: store,
    levels: new LevelStore(systemClock),
    lock,
    outbox,
    writeStop: new WriteStop(cluster, crash),
    activity: new Activity(databases.own),
    reclaimer: new Reclaimer(cluster, databases.watch, log),
    plans,
    wake: () => quota.wake(),
    log,
  });
  const quota = new Repeating('quota', settings.quotaIntervalMs, () => watch.round(), log);
  const busyMs = Math.min(BUSY_QUOTA_MS, settings.quotaIntervalMs);
  const busyQuota = new Repeating('quota of busy databases', busyMs, () => watch.roundOfBusy(), log);
  return { watch, quota, busyQuota };
}

function schedule({ settings, cluster, databases, outbox, log }: Ground, resources: Resources): Repeating[] {
  const { platformUrl, slug, password, statementMaxMs, transactionMaxMs } = settings;
  const relay = new NoticeRelay({ database: databases.own, outbox, platformUrl, slug, password, log });
  const watchdog = new Watchdog({
    cluster,
    database: databases.watch,
    statementMaxMs,
    transactionMaxMs,
    log,
  });
  return [
    new Repeating('unfinished deletes', DELETES_MS, () => resources.finishDeletes(), log),
    new Repeating('notices', NOTICES_MS, () => relay.deliverDue(), log),
    new Repeating('watchdog', watchdog.everyMs, () => watchdog.round(), log),
  ];
}
