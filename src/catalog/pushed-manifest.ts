import { REGIONS } from '../apps/regions.js';
import { readManifest, type Manifest } from './manifest.js';

type Json = Record<string, unknown>;

const ID_CHARS_MAX = 50;
const TEXT_CHARS_MAX = 200;
const DESCRIPTION_CHARS_MAX = 2_000;
const ITEMS_MAX = 100;
const CENTS_MAX = 100_000_000;
const BYTES_MAX = 256 * 1024;
const CLIENT_SECRET_CHARS_MIN = 16;
/** As `PlainText` of the API: people see these in terminals. */
const NOT_PLAIN = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** What may be left out of a manifest is filled in from these. */
export interface Fallbacks {
  password: string;
  ssoSalt: string;
}

export interface PreparedManifest {
  /** As it is kept and given back, without `$base`. */
  contents: Json;
  /** A client secret that the manifest itself sets; it is kept elsewhere and never given back. */
  clientSecret: string | null;
}

/** The manifest to keep: the pushed one, with its secrets filled in where it has none. */
export function preparePushed(pushed: Json, fallbacks: Fallbacks): PreparedManifest {
  const { $base: _base, ...contents } = pushed;
  const given = contents.api ?? {};
  if (!isObject(given)) return { contents, clientSecret: null };
  const { client_secret: clientSecret, ...api } = given;
  const filled = {
    ...api,
    password: isGiven(api.password) ? api.password : fallbacks.password,
    sso_salt: isGiven(api.sso_salt) ? api.sso_salt : fallbacks.ssoSalt,
  };
  return {
    contents: { ...contents, api: filled },
    clientSecret: typeof clientSecret === 'string' && clientSecret !== '' ? clientSecret : null,
  };
}

/** The manifest of a third party, and everything that is wrong with it: field, rule, and what to do. */
export function readPushed(
  slug: string,
  prepared: PreparedManifest,
): { manifest: Manifest; problems: string[] } {
  const { contents, clientSecret } = prepared;
  const { manifest, problems } = readManifest({ ...contents, plans: plansOf(contents.plans) });
  const api = isObject(contents.api) ? contents.api : {};
  const rules: [boolean, string][] = [
    [
      manifest.id === slug,
      `id must be "${slug}", as in the address; push another service to its own address.`,
    ],
    ...idRules(manifest.id),
    [
      api.version === '3' || api.version === 3,
      'api.version must be "3": Souk speaks version 3 of the Add-on Partner API.',
    ],
    [
      api.username === undefined,
      'api.username is not used any more; leave it out: the user name of Basic auth is the id.',
    ],
    [
      clientSecret === null || clientSecret.length >= CLIENT_SECRET_CHARS_MIN,
      `api.client_secret must have at least ${CLIENT_SECRET_CHARS_MIN} characters; leave it out, and one is made for you.`,
    ],
    [
      Buffer.byteLength(JSON.stringify(contents)) <= BYTES_MAX,
      `The manifest may take ${BYTES_MAX / 1024} KiB in all; shorten it.`,
    ],
    ...varRules(manifest),
    ...textRules(manifest),
    ...planRules(manifest),
    [
      contents.meters === undefined || isListOfNamed(contents.meters),
      'meters must be a list of objects, each with an id.',
    ],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, problem]) => problem);
  return { manifest, problems: [...problems, ...broken] };
}

/** A service without a plan of its own has the free plan `test`; one that only sells has it for its makers' tests. */
function plansOf(plans: unknown): unknown {
  const test = { id: 'test', name: 'Test', price: { cents: 0 } };
  if (plans === undefined || (Array.isArray(plans) && plans.length === 0)) return [test];
  if (!Array.isArray(plans)) return plans;
  const hasFree = plans.some(
    (plan: unknown) => isObject(plan) && isObject(plan.price) && plan.price.cents === 0,
  );
  const hasTest = plans.some((plan: unknown) => isObject(plan) && plan.id === 'test');
  return hasFree || hasTest ? plans : [...(plans as unknown[]), { ...test, availability: 'invited' }];
}

function idRules(id: string): [boolean, string][] {
  return [
    [id.length <= ID_CHARS_MAX, `id may have ${ID_CHARS_MAX} characters; choose a shorter one.`],
    [
      !/add-?on/.test(id),
      'id must not hold the word "addon" or "add-on": every service is one; choose another id.',
    ],
    [
      !id.startsWith('souk-'),
      'id must not begin with "souk-", which the bundled services have; choose another id.',
    ],
  ];
}

function varRules(manifest: Manifest): [boolean, string][] {
  const regions = REGIONS.map(({ name }) => name);
  return [
    [
      /^[A-Z][A-Z0-9_]*$/.test(manifest.configVarsPrefix),
      `api.config_vars_prefix: ${manifest.configVarsPrefix.slice(0, 60)} must be upper-case letters, digits and _; leave it out, and it follows from the id.`,
    ],
    [manifest.configVars.length <= ITEMS_MAX, `api.config_vars may name ${ITEMS_MAX} config vars at most.`],
    [
      manifest.configVars.every((name) => name.length <= TEXT_CHARS_MAX),
      `api.config_vars: a name may have ${TEXT_CHARS_MAX} characters at most.`,
    ],
    ...unknownRegions(manifest.regions).map((region): [boolean, string] => [
      false,
      `api.regions: ${region} is not a region; choose from ${regions.join(', ')}, or "*" for all.`,
    ]),
    [
      manifest.defaultAttachment === null || /^[A-Z][A-Z0-9_]{0,99}$/.test(manifest.defaultAttachment),
      'souk.default_attachment must be upper-case letters, digits and _, such as DATABASE.',
    ],
  ];
}

function unknownRegions(regions: string[]): string[] {
  return regions
    .filter((region) => region !== '*' && !REGIONS.some(({ name }) => name === region))
    .map((region) => region.slice(0, 60));
}

function textRules(manifest: Manifest): [boolean, string][] {
  const names: [string, string, number][] = [
    ['name', manifest.name, TEXT_CHARS_MAX],
    ['cli_plugin_name', manifest.cliPluginName ?? '', TEXT_CHARS_MAX],
    ['api.password', manifest.password, TEXT_CHARS_MAX],
    ['api.sso_salt', manifest.ssoSalt, TEXT_CHARS_MAX],
    ...manifest.plans.flatMap((plan, index): [string, string, number][] => [
      [`plans[${index}].name`, plan.name, TEXT_CHARS_MAX],
      [`plans[${index}].description`, plan.description, DESCRIPTION_CHARS_MAX],
    ]),
  ];
  return names.map(([field, text, max]) => [
    text.length <= max && !NOT_PLAIN.test(text),
    `${field} must be plain text of at most ${max} characters, on one line.`,
  ]);
}

function planRules(manifest: Manifest): [boolean, string][] {
  return [
    [manifest.plans.length <= ITEMS_MAX, `plans may hold ${ITEMS_MAX} plans at most.`],
    ...manifest.plans.flatMap((plan, index): [boolean, string][] => [
      [
        plan.id.length <= ID_CHARS_MAX,
        `plans[${index}].id may have ${ID_CHARS_MAX} characters; choose a shorter one.`,
      ],
      [
        plan.cents <= CENTS_MAX,
        `plans[${index}].price.cents may be ${CENTS_MAX} at most; it is cents a month.`,
      ],
      [
        /^[A-Z]{3}$/.test(plan.currency),
        `plans[${index}].price.currency must be a currency's three letters, such as USD.`,
      ],
      ...unknownRegions(plan.regions).map((region): [boolean, string] => [
        region === '*',
        `plans[${index}].regions: ${region} is not a region; see "heroku regions".`,
      ]),
    ]),
  ];
}

/** What a URL of a manifest must be before it is looked at where it leads; null: nothing is wrong with it. */
export function urlProblem(url: string): string | null {
  if (!URL.canParse(url)) return 'must be a whole URL, such as https://cache.acme.test/heroku/resources';
  const { protocol, hostname, username, password, search, hash } = new URL(url);
  if (!['https:', 'http:'].includes(protocol)) return 'must begin with https://';
  // A URL may hold more, such as ";", which ends a directive where the host gets into a security policy.
  if (!/^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(hostname))
    return 'must have a host name of letters, digits, dots and dashes';
  return username + password + search + hash === '' ? null : 'must hold no user, password, "?" or "#"';
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isListOfNamed(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= ITEMS_MAX &&
    value.every((one: unknown) => isObject(one) && typeof one.id === 'string')
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
