import {
  Catch,
  HttpException,
  Inject,
  Injectable,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { kernelErrors, SoukError } from '../../kernel/errors.js';
import { sqlState } from '../../kernel/db/database.js';
import { LOGGER, type Logger } from '../../kernel/log.js';
import { oauthErrorOf, TOKEN_PATH } from './token-request.js';

/** What the Platform API answers when something is wrong (Platform API reference, "Errors"). */
export interface ErrorBody {
  id: string;
  message: string;
  resource?: string;
  app?: { name: string };
  request_id?: string;
}

/** Renders errors as `{id, message}`. Causes and internals go to the log, never to the caller. */
@Catch()
@Injectable()
export class ErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    this.answer(thrown, host, bodyOf);
  }

  /** Logs and answers what was thrown, in the form of one surface. */
  answer(
    thrown: unknown,
    host: ArgumentsHost,
    present: (error: SoukError, requestId: string | undefined) => ErrorBody,
  ): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toSoukError(thrown);
    const fields = { requestId: request.requestId, errorId: error.id, internal: error.internal };
    if (error.spec.status >= 500) this.log.error({ ...fields, err: error.cause ?? thrown }, 'request failed');
    else if (error.internal !== undefined) this.log.info(fields, 'request refused');
    request.errorId = error.id;
    if (reply.sent) return;
    if (error.spec.status === 401) void reply.header('www-authenticate', 'Bearer realm="souk"');
    void reply
      .status(error.spec.status)
      .type('application/json')
      .send({
        ...present(error, request.requestId),
        ...(request.routeOptions.url === TOKEN_PATH ? { error: oauthErrorOf(error) } : {}),
      });
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The id of the error that the request was answered with. */
    errorId?: string;
  }
}

export function bodyOf(error: SoukError, requestId: string | undefined): ErrorBody {
  return {
    id: error.spec.platformId ?? error.id,
    message: error.message,
    ...(error.spec.resource === undefined ? {} : { resource: error.spec.resource }),
    ...(error.app === undefined ? {} : { app: error.app }),
    ...(error.spec.status >= 500 && requestId !== undefined ? { request_id: requestId } : {}),
  };
}

/** What Fastify or Nest refuse before a controller is reached, by status. */
const REFUSED_EARLY = new Map<number, keyof typeof kernelErrors>([
  [404, 'not_found'],
  [408, 'request_timeout'],
  [413, 'body_too_large'],
  [414, 'address_too_long'],
  [415, 'unsupported_media_type'],
]);

/** PostgreSQL is away or restarting: classes 08 and 57P, and what the driver says of a broken connection. */
const DATABASE_AWAY = /^(08|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE)$/;

/** What PostgreSQL cannot hold as text, such as a zero byte: only a caller can have sent it. */
const NOT_TEXT = new Set(['22021', '22P05']);

/** What a caller is told of anything that was thrown. */
export function toSoukError(thrown: unknown): SoukError {
  if (thrown instanceof SoukError) return thrown;
  const status = statusOf(thrown);
  if (status >= 400 && status < 500)
    return kernelErrors[REFUSED_EARLY.get(status) ?? 'bad_request']({ cause: thrown });
  if (NOT_TEXT.has(sqlState(thrown) ?? ''))
    return kernelErrors.bad_request({
      message: 'A text in the request holds a zero byte, which cannot be stored.',
      cause: thrown,
    });
  if (isDatabaseAway(thrown)) return kernelErrors.unavailable({ cause: thrown });
  return kernelErrors.internal_error({ cause: thrown });
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpException) return thrown.getStatus();
  return typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown
    ? Number(thrown.statusCode)
    : 500;
}

function isDatabaseAway(thrown: unknown): boolean {
  // TypeORM lets go of a connection that broke under a transaction; the next statement finds it gone.
  if (
    thrown instanceof QueryRunnerAlreadyReleasedError ||
    thrown instanceof QueryRunnerProviderAlreadyReleasedError
  )
    return true;
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  if (DATABASE_AWAY.test(sqlState(thrown) ?? code)) return true;
  // The driver gives a connection that ended, and a pool that waited in vain, no code: only these words.
  const text = thrown instanceof Error ? thrown.message : '';
  return /Connection terminated|timeout exceeded when trying to connect/.test(text);
}
