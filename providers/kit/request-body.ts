import type { ActionRequest } from './actions.js';
import { answers } from './errors.js';
import type { PlatformFacts, ProvisionRequest } from './resource.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PAGE_MAX = 1_000;
const PAGE_DEFAULT = 100;

type Json = Record<string, unknown>;

/** The uuid in small letters, or null when it is none. */
export function parseUuid(value: unknown): string | null {
  return typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : null;
}

/** Reads the body of a provision; fields that this kit does not know are left alone, as the contract asks. */
export function parseProvision(body: unknown): ProvisionRequest {
  const fields = object(body);
  const uuid = parseUuid(fields.uuid);
  if (uuid === null) throw answers.invalid('The field "uuid" must be a UUID.');
  return {
    uuid,
    plan: parsePlan(body),
    name: text(fields.name),
    region: text(fields.region),
    options: Object.fromEntries(
      Object.entries(isObject(fields.options) ? fields.options : {}).map(([key, value]) => [
        key,
        String(value),
      ]),
    ),
    platform: parsePlatformFacts(fields),
  };
}

function parsePlatformFacts(fields: Json): PlatformFacts {
  const grant = isObject(fields.oauth_grant) ? fields.oauth_grant : {};
  const code = text(grant.code);
  return {
    callbackUrl: text(fields.callback_url),
    // A grant whose end was not said is used at once or never.
    grant: code === null ? null : { code, expiresAt: text(grant.expires_at) ?? '9999-12-31T23:59:59Z' },
    logInputUrl: text(fields.log_input_url),
    logDrainToken: text(fields.log_drain_token),
  };
}

/** Reads the plan's slug out of a provision or a plan change. */
export function parsePlan(body: unknown): string {
  const plan = object(body).plan;
  if (typeof plan !== 'string' || plan === '')
    throw answers.invalid('The field "plan" must be the name of a plan.');
  return plan;
}

/** Reads the body of an action. */
export function parseAction(body: unknown): ActionRequest {
  const { id, params = {} } = object(body);
  const run = parseUuid(id);
  if (run === null) throw answers.invalid('The field "id" must be a UUID.');
  if (!isObject(params)) throw answers.invalid('The field "params" must be an object.');
  return { run, params };
}

/** Reads `?cursor=…&limit=…` of the inventory. */
export function parsePage(query: unknown): { after: string; max: number } {
  const { cursor = '0', limit = String(PAGE_DEFAULT) } = object(query);
  if (typeof cursor !== 'string' || !/^\d{1,18}$/.test(cursor))
    throw answers.invalid('The parameter "cursor" must be the "next" of the page before.');
  const max = Number(limit);
  if (!Number.isInteger(max) || max < 1 || max > PAGE_MAX)
    throw answers.invalid(`The parameter "limit" must be a whole number from 1 to ${PAGE_MAX}.`);
  return { after: cursor, max };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: unknown): Json {
  if (!isObject(value)) throw answers.invalid('The body must be a JSON object.');
  return value;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
