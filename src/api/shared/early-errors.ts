import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { kernelErrors, type SoukError } from '../../kernel/errors.js';
import type { Logger } from '../../kernel/log.js';
import { bodyOf, toSoukError } from './error.filter.js';

/** What is refused before there is a route, so that it too has an id, a sentence and a request id. */
export function earlyErrors(log: Logger) {
  return {
    /** An address that cannot be read: no hook and no filter ever sees such a request. */
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
      const refused = toSoukError(error);
      request.requestId = randomUUID();
      note(log, request.requestId, refused, request.method);
      void reply
        .header('request-id', request.requestId)
        .status(refused.spec.status)
        .type('application/json')
        .send(bodyOf(refused, request.requestId));
    },
    /** What Node's parser gives up on: there is no request, only a connection, which ends with the answer. */
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket): void => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      const refused = kernelErrors[BROKEN.get(error.code ?? '') ?? 'bad_request']({ cause: error });
      const requestId = randomUUID();
      note(log, requestId, refused, 'unread');
      // An answer that is on its way already would get a second head in its middle.
      if (socket.writable && !hasBegunToAnswer(socket)) socket.write(asHttp(refused, requestId));
      socket.destroySoon();
    },
  };
}

/** Node keeps the response of a connection there; its own handler of such errors asks the same. */
function hasBegunToAnswer(socket: Socket & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

/** By the code of Node's error. */
const BROKEN = new Map<string, keyof typeof kernelErrors>([
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_timeout'],
]);

function note(log: Logger, requestId: string, refused: SoukError, method: string): void {
  log.info(
    { requestId, method, route: 'unmatched', status: refused.spec.status, errorId: refused.id },
    'request',
  );
}

function asHttp(refused: SoukError, requestId: string): string {
  const { status } = refused.spec;
  const body = JSON.stringify(bodyOf(refused, requestId));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `request-id: ${requestId}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
