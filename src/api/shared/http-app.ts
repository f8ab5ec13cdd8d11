import { randomUUID } from 'node:crypto';
import { ValidationPipe, type Type, type ValidationError } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DynamicModule } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { kernelErrors, type SoukError } from '../../kernel/errors.js';
import { NestLog, type Logger } from '../../kernel/log.js';
import { Metrics } from '../../kernel/metrics.js';
import { Readiness } from '../ops/readiness.js';
import { earlyErrors } from './early-errors.js';
import { ErrorFilter } from './error.filter.js';
import { CALLER_CONSTRAINT } from './caller-constraint.js';
import { parseBody } from './parse-body.js';
import { parseForm, TOKEN_PATH } from './token-request.js';

const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** The CLI's Request-Id header grows to 7 KB during one run. */
const HEADER_BYTES_MAX = 64 * 1024;
/** For a request to arrive whole. Without this whoever sends a byte a minute keeps a connection for ever. */
const REQUEST_MS_MAX = 120_000;

/** A Nest application on Fastify with what every surface shares: request ids, logs, bodies, errors, validation. */
export async function createHttpApp(
  module: Type | DynamicModule,
  log: Logger,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    requestTimeout: REQUEST_MS_MAX,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 2_000, constraints: { caller: CALLER_CONSTRAINT } },
    // While it drains, what comes on an open connection is still answered, and told to close it.
    return503OnClosing: false,
    ...earlyErrors(log),
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: new NestLog(log),
    abortOnError: false,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  acceptBodies(fastify);
  identifyAndLog(fastify, log, app.get(Metrics));
  closeWhileDraining(fastify, app.get(Readiness));
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      exceptionFactory: (errors) => invalidParams(errors),
    }),
  );
  app.useGlobalFilters(app.get(ErrorFilter));
  return app;
}

/** JSON under any JSON type; an empty body under such a type is no body, since many clients send that. */
function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/(json|[\w.+-]+\+json)/i,
    { parseAs: 'string' },
    async (request: FastifyRequest, body: string) => {
      if (body === '') return undefined;
      if (!/^(identity)?$/i.test(request.headers['content-encoding'] ?? ''))
        throw kernelErrors.unsupported_media_type({ message: 'Send the body as it is, not compressed.' });
      return parseBody(body);
    },
  );
  // Only clients of OAuth send forms; everywhere else one is refused as any other type is.
  fastify.addContentTypeParser(
    /^application\/x-www-form-urlencoded/i,
    { parseAs: 'string' },
    async (request: FastifyRequest, body: string) => {
      if (request.routeOptions.url !== TOKEN_PATH) throw kernelErrors.unsupported_media_type();
      return parseForm(body);
    },
  );
}

/** A client that keeps its connection open would send its next request to a server that is gone. */
function closeWhileDraining(fastify: FastifyInstance, readiness: Readiness): void {
  fastify.addHook('onSend', async (_request, reply) => {
    if (readiness.isDraining) void reply.header('connection', 'close');
  });
}

function identifyAndLog(fastify: FastifyInstance, log: Logger, metrics: Metrics): void {
  fastify.addHook('onRequest', async (request, reply) => {
    request.requestId = randomUUID();
    void reply.header('request-id', request.requestId);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    metrics.requests.observe({ method: request.method, route, status: reply.statusCode }, ms / 1000);
    const user = (request as { user?: { accountId?: string; slug?: string } }).user;
    log.info(
      {
        requestId: request.requestId,
        method: request.method,
        // The path alone: queries of some routes hold secrets.
        path: request.url.split('?')[0],
        route,
        status: reply.statusCode,
        errorId: request.errorId,
        actor: user?.accountId ?? user?.slug,
        ms,
      },
      'request',
    );
  });
}

function invalidParams(errors: ValidationError[]): SoukError {
  const sentences = errors.flatMap((error) => sentencesOf(error, ''));
  return kernelErrors.invalid_params({ message: `${sentences.join('; ')}.` });
}

function sentencesOf(error: ValidationError, path: string): string[] {
  const rules = Object.entries(error.constraints ?? {});
  // Of a value of the wrong type its length says nothing.
  const types = rules.filter(([rule]) => rule.startsWith('is'));
  const own = (types.length > 0 ? types : rules).map(([, text]) => `${path}${text}`);
  return [
    ...own,
    ...(error.children ?? []).flatMap((child) => sentencesOf(child, `${path}${error.property}.`)),
  ];
}
