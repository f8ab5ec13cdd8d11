import { readActions, type ActionDefinition } from './action-definition.js';
import { catalogErrors } from './catalog.errors.js';
import type { Availability } from './catalog.entity.js';

/** A plan in a manifest: Souk's extension, since Heroku's manifest has none. */
export interface ManifestPlan {
  id: string;
  name: string;
  description: string;
  /** Whole cents a month. */
  cents: number;
  currency: string;
  metered: boolean;
  contract: boolean;
  default: boolean;
  /** Whom it is for. */
  availability: Availability;
  features: Record<string, unknown>;
  /** Empty: wherever the service is. */
  regions: string[];
  compliance: string[];
  /** How long the provider may take after a 202. */
  asyncDeadlineSeconds: number;
}

/** `addon-manifest.json` as Heroku's partner portal has it, with plans, read and checked. */
export interface Manifest {
  id: string;
  name: string;
  cliPluginName: string | null;
  configVarsPrefix: string;
  configVars: string[];
  regions: string[];
  requires: string[];
  baseUrl: string;
  ssoUrl: string | null;
  password: string;
  ssoSalt: string;
  defaultAttachment: string | null;
  /** `souk.inventory`: the provider answers `GET base_url` with what it holds. */
  inventory: boolean;
  /** `souk.actions`: what customers can have done to an add-on. */
  actions: ActionDefinition[];
  compliance: string[];
  plans: ManifestPlan[];
}

/** What `requires` may ask for. Those of the log router are refused by name until it is there. */
const REQUIREMENTS = ['attachable', 'many_per_app'];
/** What takes a log router. */
export const LOG_REQUIREMENTS = ['syslog_drain', 'log_input'];

/** The time after a 202 (partner contract, part c), and the bounds within which a plan may set its own. */
const ASYNC_DEADLINE = { fallback: 43_200, min: 60, max: 604_800 };

type Json = Record<string, unknown>;

class Reader {
  readonly problems: string[] = [];

  text(from: Json, field: string, path: string, fallback?: string): string {
    const value = from[field];
    if (typeof value === 'string' && value !== '') return value;
    if (value === undefined && fallback !== undefined) return fallback;
    this.problems.push(
      value === undefined
        ? `${path}${field} is missing; it must be a text.`
        : `${path}${field} must be a text.`,
    );
    return '';
  }

  optionalText(from: Json, field: string): string | null {
    const value = from[field];
    return typeof value === 'string' && value !== '' ? value : null;
  }

  flag(from: Json, field: string, path: string): boolean {
    const value = from[field];
    if (value === undefined || typeof value === 'boolean') return value === true;
    this.problems.push(`${path}${field} must be true or false.`);
    return false;
  }

  texts(from: Json, field: string, path: string): string[] {
    const value = from[field];
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
    this.problems.push(`${path}${field} must be a list of texts.`);
    return [];
  }

  wholeNumber(
    from: Json,
    field: string,
    path: string,
    bounds: { fallback: number; min: number; max: number },
  ): number {
    const value = from[field];
    if (value === undefined) return bounds.fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max)
      return value;
    this.problems.push(`${path}${field} must be a whole number from ${bounds.min} to ${bounds.max}.`);
    return bounds.fallback;
  }

  object(from: Json, field: string, path: string): Json {
    const value = from[field];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
    if (value !== undefined) this.problems.push(`${path}${field} must be an object.`);
    return {};
  }

  availability(from: Json, path: string): Availability {
    const value = from.availability ?? 'all';
    const known = (['all', 'hidden', 'invited'] as const).find((one) => one === value);
    this.must(known !== undefined, `${path}availability must be "all", "hidden" or "invited".`);
    return known ?? 'all';
  }

  must(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }
}

/** Reads a manifest; throws `manifest_invalid` with every problem in one sentence each. */
export function parseManifest(input: unknown): Manifest {
  const { manifest, problems } = readManifest(input);
  if (problems.length > 0) throw manifestInvalid(problems);
  return manifest;
}

export function manifestInvalid(problems: string[]) {
  return catalogErrors.manifest_invalid({
    message: `The manifest is not valid: ${problems.join(' ')}`,
    problems,
  });
}

/** Reads a manifest as far as that goes, and says what is wrong with it. */
export function readManifest(input: unknown): { manifest: Manifest; problems: string[] } {
  const read = new Reader();
  const root = read.object({ manifest: input }, 'manifest', '');
  const api = read.object(root, 'api', '');
  const souk = read.object(root, 'souk', '');
  const production =
    typeof api.production === 'string'
      ? { base_url: api.production }
      : read.object(api, 'production', 'api.');
  const id = read.text(root, 'id', '');
  const prefix = read.text(api, 'config_vars_prefix', 'api.', id.toUpperCase().replaceAll('-', '_'));
  const manifest: Manifest = {
    id,
    name: read.text(root, 'name', '', id),
    cliPluginName: read.optionalText(root, 'cli_plugin_name'),
    configVarsPrefix: prefix,
    configVars: read.texts(api, 'config_vars', 'api.'),
    regions: read.texts(api, 'regions', 'api.'),
    requires: read.texts(api, 'requires', 'api.'),
    baseUrl: read.text(production, 'base_url', 'api.production.'),
    ssoUrl: read.optionalText(production, 'sso_url'),
    password: read.text(api, 'password', 'api.'),
    ssoSalt: read.text(api, 'sso_salt', 'api.'),
    defaultAttachment: read.optionalText(souk, 'default_attachment'),
    inventory: read.flag(souk, 'inventory', 'souk.'),
    actions: readActions(souk.actions, (sentence) => read.must(false, sentence)),
    compliance: read.texts(souk, 'compliance', 'souk.'),
    plans: parsePlans(read, root.plans),
  };
  checkManifest(read, manifest);
  return { manifest, problems: read.problems };
}

function checkManifest(read: Reader, manifest: Manifest): void {
  read.must(
    /^[a-z][a-z0-9-]*[a-z0-9]$/.test(manifest.id),
    'id must be lower-case letters, digits and dashes, beginning with a letter.',
  );
  read.must(manifest.regions.length > 0, 'api.regions must name at least one region, or "*".');
  read.must(
    manifest.configVars.length > 0,
    'api.config_vars must name each config var that the provider sets.',
  );
  read.must(
    new Set(manifest.configVars).size === manifest.configVars.length,
    'api.config_vars: each name only once.',
  );
  for (const name of manifest.configVars) {
    read.must(
      /^[A-Z][A-Z0-9_]*$/.test(name),
      `api.config_vars: ${name} must be upper-case letters, digits and _.`,
    );
    read.must(
      name.startsWith(`${manifest.configVarsPrefix}_`),
      `api.config_vars: ${name} must begin with ${manifest.configVarsPrefix}_.`,
    );
  }
  for (const requirement of manifest.requires) {
    read.must(
      !LOG_REQUIREMENTS.includes(requirement),
      `api.requires: ${requirement} is not available here, because this Souk has no log router.`,
    );
    read.must(
      REQUIREMENTS.includes(requirement) || LOG_REQUIREMENTS.includes(requirement),
      `api.requires: ${requirement} is not known; choose from ${REQUIREMENTS.join(', ')}.`,
    );
  }
  read.must(
    manifest.baseUrl === '' || URL.canParse(manifest.baseUrl),
    'api.production.base_url must be a URL.',
  );
  read.must(manifest.plans.length > 0, 'plans must hold at least one plan.');
  read.must(
    new Set(manifest.plans.map(({ id }) => id)).size === manifest.plans.length,
    'plans: each id only once.',
  );
  read.must(
    manifest.plans.filter((plan) => plan.default).length <= 1,
    'plans: at most one may be the default.',
  );
}

function parsePlans(read: Reader, input: unknown): ManifestPlan[] {
  if (!Array.isArray(input)) return [];
  return input.map((one: unknown, index) => {
    const path = `plans[${index}].`;
    const plan = read.object({ plan: one }, 'plan', path);
    const price = read.object(plan, 'price', path);
    const cents = price.cents;
    read.must(
      typeof cents === 'number' && Number.isSafeInteger(cents) && cents >= 0,
      `${path}price.cents must be a whole number of cents, 0 or more.`,
    );
    const id = read.text(plan, 'id', path);
    read.must(/^[a-z0-9][a-z0-9-]*$/.test(id), `${path}id must be lower-case letters, digits and dashes.`);
    return {
      id,
      name: read.text(plan, 'name', path, id),
      description: read.optionalText(plan, 'description') ?? '',
      cents: typeof cents === 'number' ? cents : 0,
      currency: read.text(price, 'currency', `${path}price.`, 'USD'),
      metered: price.metered === true,
      contract: price.contract === true,
      default: plan.default === true,
      availability: read.availability(plan, path),
      features: read.object(plan, 'features', path),
      regions: read.texts(plan, 'regions', path),
      compliance: read.texts(plan, 'compliance', path),
      asyncDeadlineSeconds: read.wholeNumber(plan, 'async_deadline_seconds', path, ASYNC_DEADLINE),
    };
  });
}
