import { neutralise } from '../addons/addon.js';

/** What was sent to a provider, before it is masked. */
export interface SentRequest {
  method: string;
  url: string;
  body: unknown;
}

/** The fields whose texts are shown as they are. Everything else may be a secret, and only its length is. */
const SHOWN = new Set([
  'uuid',
  'name',
  'plan',
  'region',
  'callback_url',
  'id',
  'message',
  'type',
  'status',
  'state',
  'error',
  'expires_at',
]);

const DEPTH_MAX = 4;
const FIELDS_MAX = 50;
/** Shorter texts are not looked for in others: they would be found by chance. */
const SECRET_LENGTH_MIN = 6;

/** A request as an operator may read it. */
export function maskRequest(sent: SentRequest | undefined): object | null {
  if (sent === undefined) return null;
  return { method: sent.method, url: maskUrl(sent.url), body: maskBody(sent.body, []) };
}

/** A reply's body as an operator may read it: also without what the request had as secrets, wherever it is repeated. */
export function maskReply(
  status: number | null,
  body: unknown,
  sent: SentRequest | undefined,
): object | null {
  if (status === null) return null;
  return { status, body: maskBody(body, sent === undefined ? [] : secretsOf(sent.body, '', 0)) };
}

function maskBody(body: unknown, known: string[]): unknown {
  const secrets = [...new Set([...known, ...secretsOf(body, '', 0)])].sort((a, b) => b.length - a.length);
  return mask(body, '', 0, secrets);
}

function mask(value: unknown, field: string, depth: number, secrets: string[]): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return SHOWN.has(field) ? value : '[number]';
  if (typeof value === 'string')
    return SHOWN.has(field) ? scrub(value, secrets) : `[text of ${value.length} characters]`;
  if (typeof value !== 'object') return null;
  if (depth >= DEPTH_MAX) return '[more]';
  if (Array.isArray(value))
    // The elements of a list have no name that could say they are harmless.
    return value.slice(0, FIELDS_MAX).map((one: unknown) => mask(one, '', depth + 1, secrets));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, FIELDS_MAX)
      // Inside config and options a name such as `name` or `id` is the customer's, not the protocol's.
      .map(([name, inner]) => [
        scrub(name, secrets).slice(0, 100),
        mask(inner, depth === 0 ? name : '', depth + 1, secrets),
      ]),
  );
}

/** Every text that is not shown, as far as it is looked at. */
function secretsOf(value: unknown, field: string, depth: number): string[] {
  if (typeof value === 'string')
    return SHOWN.has(field) ? [] : withUrlParts(value).filter(({ length }) => length >= SECRET_LENGTH_MIN);
  if (typeof value !== 'object' || value === null || depth >= DEPTH_MAX) return [];
  return Object.entries(value)
    .slice(0, FIELDS_MAX)
    .flatMap(([name, inner]: [string, unknown]) => secretsOf(inner, depth === 0 ? name : '', depth + 1));
}

/** A text, and the credentials in it where it is a URL: a provider may repeat those alone. */
function withUrlParts(text: string): string[] {
  if (!URL.canParse(text)) return [text];
  const { username, password } = new URL(text);
  return [text, username, password];
}

/** A provider's own words, neutralised, and without what they repeat of the request's and the answer's secrets. */
export function maskMessage(message: unknown, body: unknown, sent: SentRequest | undefined): string | null {
  if (typeof message !== 'string') return null;
  const known = sent === undefined ? [] : secretsOf(sent.body, '', 0);
  return (
    scrub(
      message,
      [...known, ...secretsOf(body, '', 0)].sort((a, b) => b.length - a.length),
    ) || null
  );
}

function scrub(text: string, secrets: string[]): string {
  return neutralise(secrets.reduce((left, secret) => left.replaceAll(secret, '[masked]'), text)) ?? '';
}

/** Without what could hold a password. */
function maskUrl(text: string): string {
  if (!URL.canParse(text)) return '';
  const url = new URL(text);
  return `${url.origin}${url.pathname}`.slice(0, 500);
}
