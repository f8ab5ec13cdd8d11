import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Exchange, Reply, SentRequest } from './exchange.js';

const BODY_BYTES_MAX = 1024 * 1024;

/** How a request is sent, where that is what is tested. */
export interface Delivery {
  signal: AbortSignal;
  timeoutMs: number;
  /** Half of the body is sent at once, the rest when this resolves. */
  restAfter?: Promise<void>;
  /** Called when all that is to be sent at once has been handed to the network. */
  onSent?: () => void;
  /** Ends the connection as soon as the request was sent, without waiting for the answer. */
  hangUp?: boolean;
}

/**
 * Sends one request on a connection of its own. Whatever comes of it is a reply; it rejects only with the reason of a
 * signal that was raised. Redirects are never followed.
 */
export async function callProvider(request: SentRequest, delivery: Delivery): Promise<Exchange> {
  delivery.signal.throwIfAborted();
  const deadline = AbortSignal.timeout(delivery.timeoutMs);
  const reply = await send(request, delivery, AbortSignal.any([delivery.signal, deadline])).catch(
    (error: unknown): Reply => {
      delivery.signal.throwIfAborted();
      return {
        kind: 'unanswered',
        why: deadline.aborted ? `none within ${delivery.timeoutMs / 1000} s` : describe(error),
      };
    },
  );
  return { request, reply };
}

function send(sent: SentRequest, delivery: Delivery, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const open = sent.url.startsWith('https:') ? httpsRequest : httpRequest;
    const body = Buffer.from(sent.body ?? '');
    const outgoing = open(sent.url, {
      method: sent.method,
      headers: { ...sent.headers, 'content-length': String(body.length) },
      agent: false,
      signal,
    });
    outgoing.on('response', (incoming) => void readReply(incoming).then(resolve, reject));
    outgoing.on('error', reject);
    outgoing.on('finish', () => {
      delivery.onSent?.();
      if (delivery.hangUp !== true) return;
      outgoing.destroy();
      resolve({ kind: 'unanswered', why: 'the tester hung up' });
    });
    write(outgoing, body, delivery);
  });
}

function write(outgoing: ClientRequest, body: Buffer, { restAfter, onSent }: Delivery): void {
  if (restAfter === undefined) {
    outgoing.end(body);
    return;
  }
  const half = Math.floor(body.length / 2);
  outgoing.write(body.subarray(0, half), () => onSent?.());
  void restAfter.then(() => {
    // The provider may have answered or hung up meanwhile, as it may.
    if (!outgoing.destroyed) outgoing.end(body.subarray(half));
  });
}

async function readReply(incoming: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) {
      incoming.destroy();
      return { kind: 'unanswered', why: `the answer was larger than ${BODY_BYTES_MAX} bytes` };
    }
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const seconds = Number(incoming.headers['retry-after'] ?? Number.NaN);
  return {
    kind: 'answered',
    status: incoming.statusCode ?? 0,
    text,
    json: parse(text),
    retryAfterSeconds: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the call failed';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
