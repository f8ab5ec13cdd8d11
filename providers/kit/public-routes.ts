import type { FastifyInstance } from 'fastify';
import { isBasicAuth } from './basic-auth.js';
import type { Clock } from './clock.js';
import { answers, ProviderError } from './errors.js';
import { type LogMessage, MalformedFrames, parseLogplex } from './logplex.js';
import { parseUuid } from './request-body.js';
import type { Resource } from './resource.js';
import { SeenFrames } from './seen-frames.js';
import { type Visitor, verifySso } from './sso.js';
import { isWebhookSigned, WEBHOOK_SIGNATURE_HEADER } from './webhook.js';

/** A resource that is there; null for all others. */
export type FindReady = (uuid: string) => Promise<Resource | null>;

/** The name in a drain's user info; the secret behind it is what counts. */
export const DRAIN_USER = 'drain';

const FORM_BYTES_MAX = 64 * 1024;
const LOG_BYTES_MAX = 1024 * 1024;

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  // The page belongs to one visitor, and what it loads or links to must not learn its address.
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export interface SsoRoute {
  path: string;
  salt: string;
  clock: Clock;
  find: FindReady;
  /** The page of a resource, as HTML; put what others wrote through `escapeHtml`. */
  dashboard(resource: Resource, visitor: Visitor): Promise<string> | string;
}

/** The dashboard: a form post that the platform signed opens it, and anything else is 403. */
export function addSsoRoute(server: FastifyInstance, route: SsoRoute): void {
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    });
    const options = { config: { public: true }, bodyLimit: FORM_BYTES_MAX };
    scope.post(route.path, options, async (request, reply) => {
      const fields = (request.body ?? {}) as Record<string, unknown>;
      const visitor = verifySso(fields, route.salt, route.clock.now());
      if (visitor === null) throw answers.ssoRefused();
      // This kit's ids are the uuids.
      const uuid = visitor.uuid ?? parseUuid(visitor.id);
      const resource = uuid === null ? null : await route.find(uuid);
      if (resource === null) throw answers.resourceNotFound();
      request.about.resource = resource.uuid;
      return reply.headers(PAGE_HEADERS).send(await route.dashboard(resource, visitor));
    });
  });
}

/** Makes a text harmless inside HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export interface LogDrainRoute {
  /** `/:uuid` is put behind it. */
  path: string;
  find: FindReady;
  secretOf(resource: Resource): string | undefined;
  /** Throws to have the same lines sent again. */
  receive(resource: Resource, messages: LogMessage[]): Promise<void>;
}

/** Takes an app's log in `application/logplex-1` frames, each frame once. */
export function addLogDrainRoute(server: FastifyInstance, route: LogDrainRoute): void {
  const seen = new SeenFrames();
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/logplex-1', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body);
    });
    const about = new WeakMap<object, Resource>();
    scope.post<{ Params: { uuid: string } }>(`${route.path}/:uuid`, {
      config: { public: true },
      bodyLimit: LOG_BYTES_MAX,
      onRequest: async (request) => {
        const uuid = parseUuid(request.params.uuid);
        const resource = uuid === null ? null : await route.find(uuid);
        const secret = resource === null ? undefined : route.secretOf(resource);
        // One answer for all: whoever does not know the secret does not learn which resources there are.
        if (resource === null || secret === undefined) throw answers.unauthorized();
        if (!isBasicAuth(request.headers.authorization, DRAIN_USER, secret)) throw answers.unauthorized();
        about.set(request, resource);
      },
      handler: async (request, reply) => {
        const resource = about.get(request);
        if (resource === undefined) throw answers.unauthorized();
        request.about.resource = resource.uuid;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const messages = readFrames(body, oneHeader(request.headers['logplex-msg-count']));
        const frameId = oneHeader(request.headers['logplex-frame-id']);
        const take = () => route.receive(resource, messages);
        await (frameId === undefined ? take() : seen.once(`${resource.uuid} ${frameId.slice(0, 200)}`, take));
        return reply.code(204).send();
      },
    });
  });
}

export interface WebhookRoute {
  path: string;
  secret: string;
  /** Throws to have the event sent again. The same event may come twice: its `id` tells. */
  hear(event: Record<string, unknown>): Promise<void>;
}

/** Takes the platform's webhooks; what is not signed over its very bytes is 401. */
export function addWebhookRoute(server: FastifyInstance, route: WebhookRoute): void {
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(route.path, { config: { public: true } }, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const signature = oneHeader(request.headers[WEBHOOK_SIGNATURE_HEADER]);
      if (!isWebhookSigned(body, signature, route.secret)) throw answers.unauthorized();
      await route.hear(parseEvent(body));
      return reply.code(204).send();
    });
  });
}

function parseEvent(body: Buffer): Record<string, unknown> {
  try {
    const event: unknown = JSON.parse(body.toString('utf8'));
    if (typeof event === 'object' && event !== null) return event as Record<string, unknown>;
  } catch {
    throw answers.badJson();
  }
  throw answers.badJson();
}

function readFrames(body: Buffer, count: string | undefined): LogMessage[] {
  try {
    return parseLogplex(body, count);
  } catch (error) {
    if (error instanceof MalformedFrames) throw new ProviderError(400, 'bad_frames', error.message);
    throw error;
  }
}

function oneHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
