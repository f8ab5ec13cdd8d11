import { createHash } from 'node:crypto';

export interface SignOn {
  uuid: string;
  /** The provider's id for the resource. */
  id: string;
  salt: string;
  service: { slug: string; name: string };
  user: { id: string; email: string };
  app: string;
  at: Date;
}

/** The form that a customer's browser posts to `sso_url`, with all three tokens of contract part (e). */
export function ssoForm({ uuid, id, salt, service, user, app, at }: SignOn): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const navData = {
    addon: service.name,
    appname: app,
    addons: [{ slug: service.slug, name: service.name, current: true }],
  };
  return {
    id,
    token: hex('sha1', `${id}:${salt}:${timestamp}`),
    resource_id: uuid,
    resource_token: hex('sha1', `${uuid}:${salt}:${timestamp}`),
    user_scoped_resource_token: hex('sha256', `${uuid}:${salt}:${timestamp}:${user.id}:${user.email}`),
    timestamp,
    'nav-data': Buffer.from(JSON.stringify(navData)).toString('base64url'),
    email: user.email,
    user_id: user.id,
    app,
    context_app: app,
  };
}

function hex(algorithm: 'sha1' | 'sha256', text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}
