import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Actions, assertActionsDeclared } from './actions.js';
import { AsyncProvisioning } from './async-provisioning.js';
import { systemClock } from './clock.js';
import { type CrashPoints, crashPointsFromEnv } from './crash-points.js';
import { Database } from './database.js';
import { ProviderError } from './errors.js';
import { answersSoon } from './health.js';
import { createLogger, describeError, type Logger } from './log.js';
import { createPartnerServer } from './partner-server.js';
import { PendingWorkStore } from './pending-work.js';
import { PlatformClient } from './platform-client.js';
import { PlatformLinks } from './platform-links.js';
import { PlatformTokens } from './platform-tokens.js';
import { runMain, runProgram, type RunningProvider } from './program.js';
import {
  assertDefinition,
  assertParts,
  type ProviderContext,
  type ProviderDefinition,
  type ProviderParts,
} from './provider-definition.js';
import { type DefinedSettings, readDefinedSettings } from './provider-settings.js';
import { addLogDrainRoute, addSsoRoute, addWebhookRoute, DRAIN_USER } from './public-routes.js';
import { Repeating } from './repeating.js';
import { parseUuid } from './request-body.js';
import type { Engine, EngineExtras, Resource } from './resource.js';
import { ResourceLock } from './resource-lock.js';
import { ResourceStore } from './resource-store.js';
import { Resources } from './resources.js';
import { KIT_MIGRATIONS, migrate } from './schema.js';
import { Vault } from './vault.js';

const LOCK_WAIT_MS = 15_000;
const RESOURCES_AT_ONCE = 8;
const DELETES_MS = 5_000;
const WORK_MS = 500;
const GRANTS_MS = 5_000;
/** The name of the drain's secret among those of a resource. */
const DRAIN_SECRET = 'kit.log_drain';
const DRAIN_PATH = '/logs';

/** What all parts of the running program are built from. */
interface Ground {
  settings: DefinedSettings;
  log: Logger;
  crash: CrashPoints;
  database: Database;
  store: ResourceStore;
  lock: ResourceLock;
  links: PlatformLinks;
  work: PendingWorkStore;
  tokens: PlatformTokens | null;
  vault: Vault;
}

/** A 422: the customer reads the sentence, and nothing is made or changed. */
export function refuse(sentence: string): ProviderError {
  return new ProviderError(422, 'refused', sentence);
}

/** A provider whose protocol, bookkeeping, start and stop are the kit's. `run` is the whole of a program's `main`. */
export function defineProvider(definition: ProviderDefinition): { run(): Promise<void> } {
  return {
    run: () =>
      runMain(async () => {
        assertDefinition(definition);
        const settings = readDefinedSettings(definition.module, process.env);
        const log = createLogger(settings.logLevel, settings.slug);
        await runProgram({ ...settings, log, start: () => start(definition, settings, log) });
      }),
  };
}

async function start(
  definition: ProviderDefinition,
  settings: DefinedSettings,
  log: Logger,
): Promise<RunningProvider> {
  const undo: (() => Promise<void>)[] = [];
  const undoAll = async () => {
    for (const one of undo.reverse()) await one();
  };
  try {
    await mkdir(settings.home, { recursive: true, mode: 0o711 });
    const engine = settings.databaseUrl === null ? await ownDatabase(definition, settings) : null;
    if (engine !== null) undo.push(() => engine.stop());
    const url = engine?.adminUrl ?? settings.databaseUrl ?? '';
    const [database, watch] = [open(url, 'own', 12, 60_000, log), open(url, 'watch', 2, 5_000, log)];
    undo.push(async () => void (await Promise.all([database.close(), watch.close()])));
    await migrate(database, [...KIT_MIGRATIONS, ...(definition.migrations ?? [])]);
    const ground = await prepareGround(settings, database, log);
    const { server, schedules, parts } = await putTogether(definition, ground, watch);
    undo.push(async () => {
      await Promise.all(schedules.map((one) => one.stop()));
      await parts.stop?.();
    });
    // Last, for nothing would stop them where something after them failed.
    for (const one of schedules) one.start();
    return { server, stop: undoAll };
  } catch (error) {
    // The first error says why there is no provider.
    await undoAll().catch((other: unknown) =>
      log.error({ error: describeError(other) }, 'a failed start could not be undone'),
    );
    throw error;
  }
}

async function ownDatabase(
  definition: ProviderDefinition,
  { home }: DefinedSettings,
): Promise<{ adminUrl: string; stop(): Promise<void> }> {
  if (definition.database === undefined) throw new Error('SOUK_PROVIDER_DATABASE_URL must be set.');
  return definition.database(home);
}

function open(
  url: string,
  purpose: string,
  connectionsMax: number,
  statementTimeoutMs: number,
  log: Logger,
): Database {
  const applicationName = `provider-${purpose}`;
  return new Database(
    { url, applicationName, connectionsMax, statementTimeoutMs, lockTimeoutMs: 15_000 },
    (error) => log.warn({ purpose, error: describeError(error) }, 'an idle connection was lost'),
  );
}

async function prepareGround(settings: DefinedSettings, database: Database, log: Logger): Promise<Ground> {
  const { home, masterKey, platformUrl, tokenUrl, clientSecret } = settings;
  const vault =
    masterKey === null ? await Vault.fromFile(join(home, 'master-key')) : Vault.fromText(masterKey);
  const links = new PlatformLinks(vault, systemClock);
  const crash = crashPointsFromEnv(settings.crashAt);
  const clock = systemClock;
  return {
    settings,
    log,
    crash,
    database,
    links,
    vault,
    store: new ResourceStore(vault, clock),
    lock: new ResourceLock(database, RESOURCES_AT_ONCE, LOCK_WAIT_MS),
    work: new PendingWorkStore(clock),
    tokens:
      clientSecret === null
        ? null
        : new PlatformTokens({ database, links, platformUrl, tokenUrl, clientSecret, clock, crash, log }),
  };
}

async function putTogether(
  definition: ProviderDefinition,
  ground: Ground,
  watch: Database,
): Promise<{ server: FastifyInstance; schedules: Repeating[]; parts: ProviderParts }> {
  const { settings, log, crash, database, store, lock, links, work, tokens } = ground;
  const publicUrl = (): string => {
    const address = server.server.address() as AddressInfo | null;
    return (settings.publicUrl ?? `http://${settings.host}:${address?.port ?? settings.port}`).replace(
      /\/+$/,
      '',
    );
  };
  const platform = tokens === null ? null : new PlatformClient(tokens);
  const context = contextOf(ground, platform, publicUrl);
  const parts = await definition.start(context);
  assertParts(parts);
  if (parts.asynchronous === true && platform === null)
    throw new Error(
      'SOUK_PROVIDER_CLIENT_SECRET must be set: without it the end of asynchronous work cannot be reported.',
    );
  const handlers = parts.actions ?? {};
  assertActionsDeclared(
    (settings.manifest.souk?.actions ?? []).map(({ name }) => name),
    handlers,
  );
  const engine = engineOf(parts, context);
  const schedules =
    platform === null || tokens === null ? [] : platformWork({ ...ground, tokens }, engine, platform);
  const resources = new Resources({
    database,
    store,
    lock,
    engine,
    crash,
    platform:
      tokens === null
        ? undefined
        : {
            links,
            work,
            deadlineMs: settings.asyncDeadlineMs,
            wake: () => schedules.forEach((one) => one.wake()),
          },
  });
  const actions = new Actions({ ...ground, clock: systemClock, handlers });
  const server = createPartnerServer({
    ...settings,
    resources,
    actions,
    healthy: () => answersSoon(watch),
    log,
  });
  addPublicRoutes(server, parts, context, settings);
  return {
    server,
    parts,
    schedules: [
      ...schedules,
      new Repeating('unfinished deletes', DELETES_MS, () => resources.finishDeletes(), log),
    ],
  };
}

function contextOf(
  { settings, log, crash, database, store }: Ground,
  platform: PlatformClient | null,
  publicUrl: () => string,
): ProviderContext {
  const { manifest, home } = settings;
  return {
    manifest,
    database,
    home,
    publicUrl,
    platform,
    find: async (given) => {
      const uuid = parseUuid(given);
      const known = uuid === null ? null : await store.find(database, uuid);
      return known?.state === 'ready' ? known : null;
    },
    env: process.env,
    clock: systemClock,
    crash,
    log,
  };
}

function platformWork(
  ground: Ground & { tokens: PlatformTokens },
  engine: Engine,
  platform: PlatformClient,
): Repeating[] {
  const { log, tokens } = ground;
  const promised = new AsyncProvisioning({ ...ground, engine, platform, clock: systemClock });
  return [
    new Repeating('promised work', WORK_MS, () => promised.round(), log),
    new Repeating('grants', GRANTS_MS, () => tokens.exchangeDue(), log),
  ];
}

/** The provider's functions as the kit's engine, with what they leave out. */
function engineOf(parts: ProviderParts, { manifest, publicUrl }: ProviderContext): Engine & EngineExtras {
  const plans = [...manifest.plans].sort((a, b) => Number(b.default ?? false) - Number(a.default ?? false));
  const takesLogs = parts.receiveLogs !== undefined;
  return {
    plans: plans.map(({ id }) => id),
    admit: (tx, request) => parts.admit?.(tx, request) ?? Promise.resolve(),
    asynchronous: parts.asynchronous,
    draft: (request) => {
      const { facts, secrets } = parts.draft(request);
      const drain: Record<string, string> = takesLogs
        ? { [DRAIN_SECRET]: randomBytes(24).toString('base64url') }
        : {};
      return { facts, secrets: { ...secrets, ...drain } };
    },
    create: (resource) => parts.create(resource),
    resize: async (resource, plan) => parts.resize?.(resource, plan),
    destroy: (resource) => parts.destroy(resource),
    credentials: (resource) => parts.credentials(resource),
    describe: (plan) => {
      const known = plans.find(({ id }) => id === plan);
      return parts.describe?.(plan) ?? known?.description ?? `The plan is ${plan}.`;
    },
    logDrainUrl: takesLogs ? (resource) => drainUrl(publicUrl(), resource) : undefined,
  };
}

function drainUrl(publicUrl: string, { uuid, secrets }: Resource): string {
  const url = new URL(`${publicUrl}${DRAIN_PATH}/${uuid}`);
  url.username = DRAIN_USER;
  url.password = secrets[DRAIN_SECRET] ?? '';
  return url.href;
}

function addPublicRoutes(
  server: FastifyInstance,
  parts: ProviderParts,
  { find, clock }: ProviderContext,
  { ssoPath, ssoSalt, webhookSecret }: DefinedSettings,
): void {
  const { dashboard, receiveLogs, hearWebhook } = parts;
  if (dashboard !== undefined)
    addSsoRoute(server, {
      path: ssoPath,
      salt: ssoSalt,
      clock,
      find,
      dashboard: (resource, visitor) => dashboard(resource, visitor),
    });
  if (receiveLogs !== undefined)
    addLogDrainRoute(server, {
      path: DRAIN_PATH,
      find,
      secretOf: ({ secrets }) => secrets[DRAIN_SECRET],
      receive: (resource, messages) => receiveLogs(resource, messages),
    });
  if (hearWebhook !== undefined) {
    if (webhookSecret === null)
      throw new Error('SOUK_PROVIDER_WEBHOOK_SECRET must be set: webhooks are signed with it.');
    addWebhookRoute(server, {
      path: '/webhooks',
      secret: webhookSecret,
      hear: (event) => hearWebhook(event),
    });
  }
  parts.routes?.(server);
}
