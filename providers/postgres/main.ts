import { join } from 'node:path';
import {
  createLogger,
  createPartnerServer,
  crashPointsFromEnv,
  Database,
  describeError,
  Environment,
  KIT_MIGRATIONS,
  migrate,
  NoticeOutbox,
  NoticeRelay,
  readManifest,
  Repeating,
  ResourceLock,
  Resources,
  ResourceStore,
  runProgram,
  systemClock,
  Vault,
  type Logger,
  type RunningProvider,
} from '../kit/index.js';
import { type Cluster, GivenCluster, OwnCluster, providerFolder } from './engine/cluster.js';
import { prepareCluster } from './engine/prepare-cluster.js';
import { SharedClusterEngine } from './engine/shared-cluster.js';
import { Reclaimer } from './engine/reclaim.js';
import { WriteStop } from './engine/write-stop.js';
import { LevelStore, QUOTA_MIGRATIONS } from './quota/level-store.js';
import { QuotaWatch } from './quota/quota-watch.js';
import { readPlanLimits, readSettings, type Settings } from './settings.js';
import { Watchdog } from './watchdog.js';

const LOCK_WAIT_MS = 15_000;
const RELAY_MS = 500;
const DELETES_MS = 5_000;

async function start(env: Environment, settings: Settings, log: Logger): Promise<RunningProvider> {
  const plans = readPlanLimits(env, readManifest(import.meta.url, settings.manifestFile));
  const crash = crashPointsFromEnv(settings.crashAt);
  const cluster: Cluster =
    settings.clusterUrl === null
      ? await OwnCluster.start({ home: settings.home, unsafeFast: settings.unsafeFast, log })
      : new GivenCluster(settings.clusterUrl);
  await prepareCluster(cluster, settings.providerDatabase);

  const own = openDatabase(cluster, settings, log, 'souk-postgres', 12);
  const admin = openDatabase(cluster, settings, log, 'souk-postgres-engine', 8);
  // Apart from the others, so that health and the watchdog never wait behind a queue of requests.
  const watch = openDatabase(cluster, settings, log, 'souk-postgres-watch', 3);
  await migrate(own, [...KIT_MIGRATIONS, ...QUOTA_MIGRATIONS]);
  const vault =
    settings.masterKey === null
      ? await Vault.fromFile(join(providerFolder(settings.home), 'master-key'))
      : Vault.fromText(settings.masterKey);
  const store = new ResourceStore(vault, systemClock);
  const lock = new ResourceLock(own, LOCK_WAIT_MS);
  const outbox = new NoticeOutbox(systemClock);
  const quotaWatch = new QuotaWatch({
    database: own,
    resources: store,
    levels: new LevelStore(systemClock),
    lock,
    outbox,
    writeStop: new WriteStop(cluster, crash),
    reclaimer: new Reclaimer(cluster, log),
    plans,
    wake: () => quota.wake(),
    log,
  });
  const quota = new Repeating('quota', settings.quotaIntervalMs, () => quotaWatch.round(), log);
  const engine = new SharedClusterEngine({ cluster, admin, plans, crash });
  const resources = new Resources({
    database: own,
    store,
    lock,
    engine,
    crash,
    planChanged: () => quota.wake(),
  });
  const { slug, password, platformUrl } = settings;
  const relay = new NoticeRelay({ database: own, outbox, platformUrl, slug, password, log });
  const watchdog = new Watchdog(watch, settings.statementMaxMs, log);
  const schedules = [
    new Repeating('unfinished deletes', DELETES_MS, () => resources.finishDeletes(), log),
    new Repeating('notices', RELAY_MS, () => relay.deliverDue(), log),
    new Repeating('watchdog', watchdog.everyMs, () => watchdog.round(), log),
    quota,
  ];
  for (const schedule of schedules) schedule.start();
  const basePath = '/heroku/resources';
  const server = createPartnerServer({
    resources,
    slug,
    password,
    basePath,
    healthy: () => isHealthy(watch),
    log,
  });
  return {
    server,
    stop: async () => {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
      await Promise.all([own.close(), admin.close(), watch.close()]);
      await cluster.stop();
    },
  };
}

function openDatabase(
  cluster: Cluster,
  { providerDatabase }: Settings,
  log: Logger,
  applicationName: string,
  connectionsMax: number,
): Database {
  const database = new Database(
    {
      url: cluster.adminUrl(providerDatabase),
      applicationName,
      connectionsMax,
      statementTimeoutMs: 60_000,
      lockTimeoutMs: 15_000,
    },
    (error) => log.warn({ error: describeError(error) }, 'an idle connection was lost'),
  );
  cluster.onMoved(() => database.repoint(cluster.adminUrl(providerDatabase)));
  return database;
}

async function isHealthy(database: Database): Promise<boolean> {
  try {
    await database.query('SELECT 1 FROM kit.migrations LIMIT 1');
    return true;
  } catch {
    return false;
  }
}

const env = new Environment(process.env);
const settings = readSettings(env);
const log = createLogger(settings.logLevel, settings.slug);
await runProgram({ ...settings, log, start: () => start(env, settings, log) });
