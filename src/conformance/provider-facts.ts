import { isIP } from 'node:net';
import { isObject } from './exchange.js';
import { ConformanceError } from './verdict.js';

/** What the tester must know of a provider in order to call it. */
export interface ProviderFacts {
  slug: string;
  password: string;
  ssoSalt: string | null;
  configVars: string[];
  /** Slugs, the one to provision first. */
  plans: string[];
  /** The first region of the manifest, as the manifest has it. */
  region: string;
  baseUrl: string;
  ssoUrl: string | null;
  /** Names of the actions that can be run without params, queries first. */
  actions: string[];
  /** Whether it declares any action at all. */
  hasActions: boolean;
  /** It takes its apps' log lines. */
  wantsLogs: boolean;
}

export interface AddressOptions {
  /** Instead of the manifest's. */
  baseUrl?: string | undefined;
  /** The plan to provision, instead of the manifest's default. */
  plan?: string | undefined;
  /** Instead of the manifest's, which is often kept without its secrets. */
  password?: string | undefined;
  ssoSalt?: string | undefined;
  /** Other machines are called only when somebody said so. */
  allowRemote: boolean;
}

/** A manifest without plans is Heroku's own; there the plan of local tests is called so. */
const PLAN_OF_TESTS = 'test';

/**
 * What a manifest says that is needed to call the provider. It is read with more patience than the catalogue has, so that
 * one fault in a manifest does not hide those of the program. Throws `ConformanceError` where it cannot be called.
 */
export function readProviderFacts(manifest: unknown, options: AddressOptions): ProviderFacts {
  const root = isObject(manifest) ? manifest : {};
  const api = isObject(root.api) ? root.api : {};
  const addresses = addressesOf(api, options.baseUrl);
  const slug = text(root.id);
  const password = text(options.password) ?? text(api.password);
  if (slug === null) throw new ConformanceError('The manifest has no id: nobody can be called without it.');
  if (password === null)
    throw new ConformanceError(
      'The manifest has no api.password: the provider refuses calls without it. Write it there, or set SOUK_PROVIDER_PASSWORD.',
    );
  if (addresses.baseUrl === null)
    throw new ConformanceError(
      'The manifest has no api.production.base_url. Write the address of your provider there, or give it with --base-url.',
    );
  for (const url of [addresses.baseUrl, addresses.ssoUrl])
    if (url !== null) requireAddress(url, options.allowRemote);
  return {
    slug,
    password,
    ssoSalt: text(options.ssoSalt) ?? text(api.sso_salt),
    configVars: texts(api.config_vars),
    plans: plansOf(root.plans, options.plan),
    region: texts(api.regions)[0] ?? 'us',
    baseUrl: addresses.baseUrl.replace(/\/+$/, ''),
    ssoUrl: addresses.ssoUrl,
    ...actionsOf(root.souk),
    wantsLogs: texts(api.requires).includes('syslog_drain'),
  };
}

/** True when an address is this very machine. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function requireAddress(address: string, allowRemote: boolean): void {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new ConformanceError(`"${address}" is no http or https address.`);
  if (isLoopback(url)) return;
  if (!allowRemote)
    throw new ConformanceError(
      `${url.host} is not this machine. The test makes and deletes resources: give the address of a local copy with --base-url, or say --allow-remote if ${url.host} is meant to be tested.`,
    );
  if (url.protocol !== 'https:')
    throw new ConformanceError(`${url.host} is another machine: passwords go there by https only.`);
}

/** `api.test` is the address for test tools, by old custom; a given address moves the sign-on there as well. */
function addressesOf(
  api: Record<string, unknown>,
  given: string | undefined,
): { baseUrl: string | null; ssoUrl: string | null } {
  const [use] = [api.test, api.production].filter((one) => isObject(one) || text(one) !== null);
  const named = isObject(use) ? use : { base_url: use };
  const ssoUrl = text(named.sso_url);
  if (given === undefined) return { baseUrl: text(named.base_url), ssoUrl };
  if (ssoUrl === null || !URL.canParse(given) || !URL.canParse(ssoUrl))
    return { baseUrl: given, ssoUrl: null };
  const { pathname, search } = new URL(ssoUrl);
  return { baseUrl: given, ssoUrl: new URL(`${pathname}${search}`, given).href };
}

function actionsOf(souk: unknown): Pick<ProviderFacts, 'actions' | 'hasActions'> {
  const declared = isObject(souk) && Array.isArray(souk.actions) ? souk.actions.filter(isObject) : [];
  const plain = declared.filter(
    ({ name, params }) => text(name) !== null && !(isObject(params) && texts(params.required).length > 0),
  );
  const ordered = [
    ...plain.filter(({ kind }) => kind === 'query'),
    ...plain.filter(({ kind }) => kind !== 'query'),
  ];
  return { actions: ordered.map(({ name }) => String(name)), hasActions: declared.length > 0 };
}

function plansOf(input: unknown, chosen: string | undefined): string[] {
  const plans = Array.isArray(input) ? input.filter(isObject) : [];
  const preferred = plans.find((plan) => plan.default === true);
  const slugs = [chosen, text(preferred?.id), ...plans.map(({ id }) => text(id))];
  const known = [...new Set(slugs)].filter((slug): slug is string => typeof slug === 'string');
  return known.length === 0 ? [PLAN_OF_TESTS] : known;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
