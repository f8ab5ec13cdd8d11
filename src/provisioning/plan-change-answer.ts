import { isConfig, type Reply } from './reply.js';

/** What a provider said to a plan change that it made. */
export interface PlanChangeAnswer {
  /** The values that are new; the others stay. */
  config: Record<string, string>;
  message: unknown;
}

/**
 * The answer in a success to a plan change. Providers answer with an object, with nothing, or with words such as `ok`;
 * null is for what was cut off, and for config that the manifest does not allow.
 */
export function parsePlanChangeAnswer(reply: Reply, declared: readonly string[]): PlanChangeAnswer | null {
  if (reply.kind !== 'answered' || reply.status < 200 || reply.status >= 300) return null;
  const { body, broken } = reply;
  if (broken === true) return null;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { config: {}, message: null };
  const { config = null, message = null } = body as { config?: unknown; message?: unknown };
  if (config === null) return { config: {}, message };
  return isConfig(config, declared) ? { config, message } : null;
}
