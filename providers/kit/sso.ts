import { createHash } from 'node:crypto';
import { isSame } from './constant-time.js';
import { parseUuid } from './request-body.js';

/** Older log-ins, and those from a clock that is as far ahead, are refused. */
export const SSO_SECONDS_MAX = 300;

/** Who comes to the dashboard of a resource. */
export interface Visitor {
  /** The uuid of the resource; null: the platform named its id alone, as version 1 did. */
  uuid: string | null;
  /** The id that this provider gave, where the platform sent the old token for it. */
  id: string | null;
  /** Only where the token that covers the user was sent and right; the other tokens do not cover these two fields. */
  user: { id: string; email: string } | null;
  /** The app of the add-on and the app that the visitor came from: for display, since no token covers them. */
  app: string | null;
  contextApp: string | null;
}

/** The token of version 1. */
export function ssoToken(id: string, salt: string, timestamp: string): string {
  return createHash('sha1').update(`${id}:${salt}:${timestamp}`).digest('hex');
}

/** The token that binds resource, time and user. */
export function userScopedSsoToken(
  uuid: string,
  salt: string,
  timestamp: string,
  user: { id: string; email: string },
): string {
  const text = `${uuid}:${salt}:${timestamp}:${user.id}:${user.email}`;
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads a log-in that the platform signed; null, which is a 403, for anything else. Every token that was sent must be
 * right, and at least one must have been sent.
 */
export function verifySso(fields: Record<string, unknown>, salt: string, now: Date): Visitor | null {
  const timestamp = text(fields.timestamp);
  if (timestamp === null || !/^\d{1,12}$/.test(timestamp)) return null;
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > SSO_SECONDS_MAX) return null;
  // The signed text is joined by colons: an id with one in it could shift what the parts mean.
  const uuid = parseUuid(fields.resource_id);
  const sentUuid = text(fields.resource_id) ?? '';
  const id = plain(fields.id);
  const userId = plain(fields.user_id);
  const email = text(fields.email);
  const user = userId === null || email === null ? null : { id: userId, email };
  const checks: [unknown, string | null][] = [
    [fields.token, id === null ? null : ssoToken(id, salt, timestamp)],
    [fields.resource_token, uuid === null ? null : ssoToken(sentUuid, salt, timestamp)],
    [
      fields.user_scoped_resource_token,
      uuid === null || user === null ? null : userScopedSsoToken(sentUuid, salt, timestamp, user),
    ],
  ];
  const sent = checks.filter(([given]) => given !== undefined);
  // All are compared, so that the time does not tell which one was wrong.
  const right = sent.map(
    ([given, expected]) => expected !== null && typeof given === 'string' && isSame(given, expected),
  );
  if (sent.length === 0 || right.includes(false)) return null;
  const byUuid = fields.resource_token !== undefined || fields.user_scoped_resource_token !== undefined;
  return {
    uuid: byUuid ? uuid : null,
    id: fields.token === undefined ? null : id,
    user: fields.user_scoped_resource_token === undefined ? null : user,
    app: text(fields.app),
    contextApp: text(fields.context_app),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function plain(value: unknown): string | null {
  const given = text(value);
  return given === null || given.includes(':') ? null : given;
}
