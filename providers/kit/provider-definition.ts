import type { FastifyInstance } from 'fastify';
import type { ActionHandlers } from './actions.js';
import type { Clock } from './clock.js';
import type { CrashPoints } from './crash-points.js';
import type { Database, Queryable } from './database.js';
import type { Logger } from './log.js';
import type { LogMessage } from './logplex.js';
import type { ProviderManifest } from './manifest.js';
import type { PlatformClient } from './platform-client.js';
import type { Draft, ProvisionRequest, Resource } from './resource.js';
import type { Migration } from './schema.js';
import type { Visitor } from './sso.js';

/** What a provider may lean on. */
export interface ProviderContext {
  manifest: ProviderManifest;
  /** The program's own database; the tables of `migrations` are there, beside the schema `kit`. */
  database: Database;
  /** A folder for the program's files. */
  home: string;
  /** Where customers and the platform reach this program, without a slash at the end. */
  publicUrl: () => string;
  /** The platform's API; null where the program was given no client secret. */
  platform: PlatformClient | null;
  /** A live resource by its uuid, whoever sent that; null for anything else. */
  find: (uuid: string) => Promise<Resource | null>;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  crash: CrashPoints;
  log: Logger;
}

/**
 * A provider's own code. The first five are what makes a provider; each may be repeated after it was cut off anywhere,
 * and one resource has one call at a time. The rest is there for those who need it.
 */
export interface ProviderParts {
  /** Decides names (`facts`) and passwords (`secrets`, stored encrypted) of a new resource; touches nothing. */
  draft(request: ProvisionRequest): Draft;
  /** Makes what the draft says. What is there already is taken as it is. */
  create(resource: Resource): Promise<void>;
  /** Brings the resource to another plan; throws `refuse(…)` where it does not fit. Without it any plan fits. */
  resize?(resource: Resource, plan: string): Promise<void>;
  /** Takes everything away that `create` made, or half made. */
  destroy(resource: Resource): Promise<void>;
  /** The config vars of a resource, by the names that the manifest declares. */
  credentials(resource: Resource): Record<string, string>;

  /** Throws `refuse(…)` where a new resource cannot be had, e.g. for an option that makes no sense. */
  admit?: (tx: Queryable, request: ProvisionRequest) => Promise<void>;
  /** One sentence for the customer. Without it: the plan's description in the manifest. */
  describe?(plan: string): string;
  /** Answer 202, work on after that, and report the end. Needs a client secret, and a manifest's provision grants. */
  asynchronous?: boolean;
  /** The page that single sign-on opens, as HTML. Without it there is no dashboard. */
  dashboard?: (resource: Resource, visitor: Visitor) => Promise<string> | string;
  /** What customers can have done to a resource, by the names that the manifest declares in `souk.actions`. */
  actions?: ActionHandlers;
  /** Takes lines of the apps' logs; the manifest requires `syslog_drain` for it. */
  receiveLogs?: (resource: Resource, messages: LogMessage[]) => Promise<void>;
  /** Takes webhooks at `/webhooks`, signed with SOUK_PROVIDER_WEBHOOK_SECRET. */
  hearWebhook?: (event: Record<string, unknown>) => Promise<void>;
  /**
   * Routes of the service itself. They are closed to all but the platform, unless they are marked with
   * `{ config: { public: true } }` and check by themselves whom they let in. Bodies are JSON, whatever their type says.
   */
  routes?(server: FastifyInstance): void;
  /** Ends what `start` began. */
  stop?(): Promise<void>;
}

/** A provider: a manifest beside the module, a database, and the functions above. */
export interface ProviderDefinition {
  /** `import.meta.url` of the program. */
  module: string;
  /** Starts a PostgreSQL for the program's tables, where SOUK_PROVIDER_DATABASE_URL does not name one. */
  database?(home: string): Promise<{ adminUrl: string; stop(): Promise<void> }>;
  /** Tables of the program's own, in order. */
  migrations?: Migration[];
  start(context: ProviderContext): Promise<ProviderParts> | ProviderParts;
}

const DEFINITION: Record<keyof ProviderDefinition, true> = {
  module: true,
  database: true,
  migrations: true,
  start: true,
};
const PARTS: Record<keyof ProviderParts, boolean> = {
  draft: true,
  create: true,
  resize: false,
  destroy: true,
  credentials: true,
  admit: false,
  describe: false,
  asynchronous: false,
  dashboard: false,
  actions: false,
  receiveLogs: false,
  hearWebhook: false,
  routes: false,
  stop: false,
};

/** Throws on what the kit does not know, which it would silently do without. Programs in plain JavaScript have no types. */
export function assertDefinition(definition: object): void {
  assertNames(
    definition,
    Object.keys(DEFINITION),
    'defineProvider',
    'what start returns',
    Object.keys(PARTS),
  );
}

/** The same for what `start` returned; also what cannot be missing. */
export function assertParts(parts: object): void {
  assertNames(parts, Object.keys(PARTS), 'what start returns', 'defineProvider', Object.keys(DEFINITION));
  const missing = Object.entries(PARTS).flatMap(([name, needed]) =>
    needed && !(name in parts) ? [name] : [],
  );
  if (missing.length > 0) throw new Error(`What start returns lacks ${missing.join(', ')}.`);
}

function assertNames(
  given: object,
  known: string[],
  where: string,
  elsewhere: string,
  there: string[],
): void {
  // An object of a class has fields of its own.
  if (Object.getPrototypeOf(given) !== Object.prototype) return;
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new Error(
      there.includes(name)
        ? `${name} belongs into ${elsewhere}, not into ${where}.`
        : `${name} in ${where} means nothing to the kit. It takes ${known.join(', ')}.`,
    );
  }
}
