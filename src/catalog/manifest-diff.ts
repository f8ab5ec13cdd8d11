import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

const VALUE_CHARS_MAX = 80;
const CHANGES_MAX = 20;
/** Named when they change, never shown. */
const SECRET_NAMES = new Set(['password', 'sso_salt', 'client_secret']);
const isSecret = (path: string) => SECRET_NAMES.has(path.split('.').at(-1) ?? '');

/** What differs between two manifests, one sentence each, at most 20; `$base` is not compared. */
export function describeChanges(from: Json, to: Json): string[] {
  const changes: string[] = [];
  compare('', without$base(from), without$base(to), changes);
  return changes.length <= CHANGES_MAX
    ? changes
    : [...changes.slice(0, CHANGES_MAX), `and ${changes.length - CHANGES_MAX} more.`];
}

/** Whether two manifests say the same, whatever their `$base`. */
export function isSameManifest(a: Json, b: Json): boolean {
  return isDeepStrictEqual(without$base(a), without$base(b));
}

export function without$base(manifest: Json): Json {
  const { $base: _base, ...rest } = manifest;
  return rest;
}

function compare(path: string, from: unknown, to: unknown, changes: string[]): void {
  if (isDeepStrictEqual(from, to)) return;
  const [before, after] = [asObject(from), asObject(to)];
  if (before === null || after === null || isSecret(path)) {
    changes.push(sentence(path, from, to));
    return;
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    compare(path === '' ? name : `${path}.${name}`, before[name], after[name], changes);
}

/** An object as it is; a list of things with ids, such as plans, as an object by id. Else null. */
function asObject(value: unknown): Json | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return value as Json;
  const ids = value.map((one: unknown) => (isObject(one) && typeof one.id === 'string' ? one.id : null));
  if (value.length === 0 || ids.some((id) => id === null) || new Set(ids).size !== ids.length) return null;
  return Object.fromEntries(value.map((one: unknown, index) => [String(ids[index]), one]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function sentence(path: string, from: unknown, to: unknown): string {
  if (isSecret(path)) return `${path} was changed.`;
  if (from === undefined) return `${path} was added: ${show(to)}.`;
  if (to === undefined) return `${path} was removed: ${show(from)}.`;
  return `${path} was changed from ${show(from)} to ${show(to)}.`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (name, inner: unknown) => (SECRET_NAMES.has(name) ? undefined : inner));
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text;
}
