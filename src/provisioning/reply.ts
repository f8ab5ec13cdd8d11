import type { SentRequest } from './mask.js';

/**
 * What came of one call to a provider, and what had been sent. `broken`: the body began as JSON and did not end so. A
 * body that is no JSON at all is null.
 */
export type Reply = (
  | { kind: 'answered'; status: number; body: unknown; broken?: boolean; retryAfter?: string }
  /** Timed out, reset, unreachable, too large, cut off: the provider may or may not have acted. */
  | { kind: 'unanswered'; why: string }
) & { sent?: SentRequest };

/** A well-formed answer to a provision request. */
export interface ProvisionAnswer {
  providerId: string;
  config: Record<string, string>;
  message: unknown;
}

/**
 * The answer in a provision reply's body, or null where it is not one: no id, config that is no object of texts, or
 * names that the manifest does not declare.
 */
export function parseProvisionAnswer(body: unknown, declared: readonly string[]): ProvisionAnswer | null {
  const providerId = providerIdOf(body);
  if (!isObject(body) || providerId === null) return null;
  const { config = {}, message } = body;
  const vars = config === null ? {} : config;
  return isConfig(vars, declared) ? { providerId, config: vars, message } : null;
}

/** An object of texts whose names the manifest declares. */
export function isConfig(vars: unknown, declared: readonly string[]): vars is Record<string, string> {
  return (
    isObject(vars) &&
    Object.entries(vars).every(
      ([name, value]) => declared.includes(name) && typeof value === 'string' && !value.includes('\0'),
    )
  );
}

/** The id under which the provider keeps the resource, wherever a body names one; null where it does not. */
export function providerIdOf(body: unknown): string | null {
  if (!isObject(body)) return null;
  const id = typeof body.id === 'number' ? String(body.id) : body.id;
  return isResourceId(id) ? id : null;
}

/**
 * Whether a provider's resource can be called by this id. As a part of a URL's path `.` and `..` would lead to other
 * addresses, encoded or not (WHATWG URL), and half a surrogate pair cannot be encoded.
 */
export function isResourceId(id: unknown): id is string {
  return (
    typeof id === 'string' &&
    id !== '' &&
    id.length <= 255 &&
    id !== '.' &&
    id !== '..' &&
    !/[\0\p{Surrogate}]/u.test(id)
  );
}

/** The `message` of a provider's error body, if there is a text. */
export function messageOf(body: unknown): unknown {
  return isObject(body) ? body.message : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
