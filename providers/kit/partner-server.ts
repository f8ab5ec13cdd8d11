import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Actions } from './actions.js';
import { isBasicAuth } from './basic-auth.js';
import { DatabaseUnavailable } from './database.js';
import { answers, ProviderError } from './errors.js';
import { describeError, type Logger } from './log.js';
import { parseAction, parsePage, parsePlan, parseProvision, parseUuid } from './request-body.js';
import type { Resources } from './resources.js';

const FACTS_MS = 500;

export interface PartnerServerOptions {
  resources: Resources;
  /** None: every action is unknown. */
  actions?: Actions;
  /** The service's slug: the user name that the platform sends. */
  slug: string;
  password: string;
  /** Where the resources live, e.g. `/heroku/resources`. */
  basePath: string;
  /** True when a provision would succeed now. */
  healthy: () => Promise<boolean>;
  /** Numbers for the operator, shown beside the status of `GET /health` where they come soon. */
  healthFacts?: () => Promise<Record<string, unknown>>;
  log: Logger;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Open without the platform's password: the route checks by itself whom it lets in. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** For the log line: which resource the request is about, and which error it ended with. */
    about: { resource?: string; errorId?: string };
  }
}

/** The HTTP side of a provider: the Add-on Partner API v3, an inventory, and `GET /health`. */
export function createPartnerServer(options: PartnerServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    genReqId: (request) => header(request.headers['x-request-id']) ?? randomUUID(),
    // A platform keeps its connections open; they must not hold up a stop.
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  acceptAnyJson(server);
  logRequests(server, options.log);
  server.addHook('onRequest', async (request) => {
    // Before anything else: whoever does not know the password learns nothing, not even what exists.
    if (request.routeOptions.config.public === true) return;
    if (!isBasicAuth(request.headers.authorization, options.slug, options.password))
      throw answers.unauthorized();
  });
  server.setNotFoundHandler(async () => {
    throw answers.routeNotFound();
  });
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply, options));
  server.get('/health', { config: { public: true } }, async (_request, reply) => {
    const healthy = await options.healthy();
    if (!healthy) return reply.code(503).send({ status: 'unavailable' });
    return reply.send({ status: 'ok', ...(await factsInTime(options)) });
  });
  addResourceRoutes(server, options);
  return server;
}

/** They are an extra: whoever asks whether we are well has an answer soon, with or without them. */
async function factsInTime({ healthFacts, log }: PartnerServerOptions): Promise<Record<string, unknown>> {
  if (healthFacts === undefined) return {};
  const facts = healthFacts().catch((error: unknown) => {
    log.warn({ error: describeError(error) }, 'the facts of a health check are missing');
    return {};
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Record<string, unknown>>((resolve) => {
    timer = setTimeout(() => resolve({}), FACTS_MS);
  });
  try {
    return await Promise.race([facts, late]);
  } finally {
    clearTimeout(timer);
  }
}

function addResourceRoutes(
  server: FastifyInstance,
  { resources, actions, basePath }: PartnerServerOptions,
): void {
  server.post(basePath, async (request, reply) => {
    const provision = parseProvision(request.body);
    request.about.resource = provision.uuid;
    const answer = await resources.provision(provision);
    return reply.code(answer.config === undefined ? 202 : 200).send(answer);
  });
  server.get(basePath, async (request) => {
    const { after, max } = parsePage(request.query);
    return resources.inventory(after, max);
  });
  server.put<{ Params: { id: string } }>(`${basePath}/:id`, async (request) => {
    const uuid = parseUuid(request.params.id);
    if (uuid === null) throw answers.resourceNotFound();
    request.about.resource = uuid;
    return resources.changePlan(uuid, parsePlan(request.body));
  });
  server.delete<{ Params: { id: string } }>(`${basePath}/:id`, async (request, reply) => {
    const uuid = parseUuid(request.params.id);
    if (uuid === null) throw answers.resourceNotFound();
    request.about.resource = uuid;
    await resources.deprovision(uuid);
    return reply.code(204).send();
  });
  if (actions === undefined) return;
  server.post<{ Params: { id: string; name: string } }>(
    `${basePath}/:id/actions/:name`,
    async (request, reply) => {
      const uuid = parseUuid(request.params.id);
      if (uuid === null) throw answers.resourceNotFound();
      request.about.resource = uuid;
      const outcome = await actions.run(uuid, request.params.name, parseAction(request.body));
      if (outcome.pending === true) return reply.code(202).send({ message: 'The action goes on.' });
      const { result = null, message } = outcome;
      return { result, message };
    },
  );
}

/** Platforms send a JSON content type with an empty body, vendor JSON types, or none at all. */
function acceptAnyJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    const text = String(body).trim();
    if (text === '') return done(null, {});
    try {
      done(null, JSON.parse(text));
    } catch {
      done(answers.badJson());
    }
  });
}

function logRequests(server: FastifyInstance, log: Logger): void {
  server.decorateRequest('about');
  server.addHook('onRequest', async (request) => {
    request.about = {};
  });
  server.addHook('onResponse', async (request, reply) => {
    const line = {
      requestId: request.id,
      method: request.method,
      // The pattern, not the address: a stray secret in a query string stays out of the log.
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      ...request.about,
    };
    if (request.routeOptions.url === '/health') log.debug(line, 'request');
    else log.info(line, 'request');
  });
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, slug }: PartnerServerOptions,
): FastifyReply {
  const known = asAnswer(error);
  request.about = { ...request.about, errorId: known?.id ?? 'internal' };
  if (known === null || known.status === 503) {
    const line = { requestId: request.id, ...request.about, error: describeError(error) };
    if (known === null) log.error(line, 'a request failed');
    else log.warn(line, 'a request came at a bad time');
  }
  if (known === null)
    return reply
      .code(500)
      .send({ id: 'internal', message: `Something went wrong here (request ${request.id}).` });
  if (known.status === 401) void reply.header('www-authenticate', `Basic realm="${slug}"`);
  if (known.retryAfterSeconds !== null) void reply.header('retry-after', String(known.retryAfterSeconds));
  return reply.code(known.status).send({ id: known.id, message: known.message });
}

/** The answer that an error stands for; null when it is a fault of ours. */
function asAnswer(error: unknown): ProviderError | null {
  if (error instanceof ProviderError) return error;
  if (error instanceof DatabaseUnavailable) return answers.unavailable();
  // Fastify's own refusals: a body that is too large, a malformed address.
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    if (error.statusCode >= 400 && error.statusCode < 500)
      return new ProviderError(error.statusCode, 'bad_request', 'The request is malformed or too large.');
  }
  return null;
}

function header(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && /^[\w-]{1,100}$/.test(value) ? value : null;
}
