import { isObject, type Reply } from './exchange.js';

const ID_LENGTH_MAX = 255;

/**
 * The id that an answer names: a text or a number, as real providers have both; null where there is none that can stand in
 * an address.
 */
export function idIn(reply: Reply): string | null {
  if (reply.kind !== 'answered' || !isObject(reply.json)) return null;
  const { id } = reply.json;
  const text = typeof id === 'number' ? String(id) : id;
  if (typeof text !== 'string' || text === '' || text.length > ID_LENGTH_MAX) return null;
  return ['.', '..'].includes(text) || /[\p{Cc}\p{Cs}]/u.test(text) ? null : text;
}

/** What an answer says of config vars, as it stands there; undefined where it says nothing. */
export function configIn(reply: Reply): unknown {
  if (reply.kind !== 'answered' || !isObject(reply.json)) return undefined;
  // Providers in the field send null for "none".
  return reply.json.config ?? undefined;
}

/** What is wrong with the shape of a config, or null. */
export function faultOfConfigShape(config: unknown): string | null {
  if (!isObject(config)) return '"config" must be an object of names and texts.';
  const wrong = Object.entries(config).filter(([, value]) => typeof value !== 'string');
  return wrong.length === 0
    ? null
    : `These config vars are no texts: ${wrong.map(([name, value]) => `${name} (${kindOf(value)})`).join(', ')}.`;
}

/** Names that the manifest does not declare, as a fault; null where there are none. */
export function faultOfConfigNames(config: unknown, declared: readonly string[]): string | null {
  if (!isObject(config)) return null;
  const names = Object.keys(config).filter((name) => !declared.includes(name));
  return names.length === 0
    ? null
    : `These config vars are not in api.config_vars: ${names.join(', ')}. A platform takes the whole answer for malformed.`;
}

/** `…_URL` vars that are no URL with a scheme and something behind it; null where all are. */
export function faultOfConfigUrls(config: unknown): string | null {
  if (!isObject(config)) return null;
  const wrong = Object.entries(config).filter(
    ([name, value]) => name.endsWith('_URL') && typeof value === 'string' && !isUrl(value),
  );
  return wrong.length === 0 ? null : `These are no URLs: ${wrong.map(([name]) => name).join(', ')}.`;
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}
