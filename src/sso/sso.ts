import { createHash } from 'node:crypto';

/** Who signs on to what, and from where. */
export interface SsoFacts {
  addonId: string;
  /** The provider's id of the resource. */
  providerId: string;
  salt: string;
  account: { id: string; email: string };
  /** The app that owns the add-on. */
  app: string;
  /** The app that the user came from. */
  contextApp: string;
  /** The service, and those that the user's app has besides. */
  service: { slug: string; name: string };
  services: { slug: string; name: string }[];
}

/** The form that the user's browser posts to the provider (partner contract, part e). */
export interface SsoForm {
  method: 'post';
  action: string;
  params: Record<string, string>;
}

/** The fields with all three tokens: the newest, and those that older providers know. None of them is an HMAC. */
export function ssoParams(facts: SsoFacts, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const { addonId, providerId, salt, account } = facts;
  return {
    resource_id: addonId,
    resource_token: hash('sha1', addonId, salt, timestamp),
    user_scoped_resource_token: hash('sha256', addonId, salt, timestamp, account.id, account.email),
    timestamp,
    'nav-data': navData(facts),
    email: account.email,
    user_id: account.id,
    app: facts.app,
    context_app: facts.contextApp,
    id: providerId,
    token: hash('sha1', providerId, salt, timestamp),
  };
}

function hash(algorithm: 'sha1' | 'sha256', ...parts: string[]): string {
  return createHash(algorithm).update(parts.join(':')).digest('hex');
}

/** What a provider's page may show of where the user is: base64url JSON. */
function navData({ service, services, contextApp }: SsoFacts): string {
  const addons = services.map((one) => (one.slug === service.slug ? { ...one, current: true } : one));
  return Buffer.from(JSON.stringify({ addon: service.name, appname: contextApp, addons })).toString(
    'base64url',
  );
}

/** Whether a browser may be sent there: a manifest could name `javascript:…`. */
export function isWebAddress(address: string): boolean {
  return URL.canParse(address) && ['http:', 'https:'].includes(new URL(address).protocol);
}
