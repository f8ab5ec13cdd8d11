import { setTimeout as sleep } from 'node:timers/promises';
import { request, type Dispatcher } from 'undici';

/** The platform refused, or could not be asked. Holds no token and no address. */
export class PlatformError extends Error {
  constructor(
    message: string,
    /** Null: there was no answer. */
    readonly status: number | null,
    /** The platform's id of the error, where it gave one. */
    readonly id: string | null,
    /** So long the platform asks to be left alone. */
    readonly retryAfterMs: number | null,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'PlatformError';
  }

  /** The add-on, or what it had, is no more: asking again helps nobody. */
  get gone(): boolean {
    return this.status === 404 || this.status === 410;
  }

  /** The platform will say the same again. */
  get final(): boolean {
    return this.status !== null && !isPassing(this.status);
  }
}

export interface PlatformCall {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** How patiently a call is repeated. */
export interface Patience {
  attemptsMax: number;
  /** Of one attempt. */
  timeoutMs: number;
  delayFirstMs: number;
  /** A platform that asks for a longer wait gets its way, but not by holding up the caller. */
  delayMaxMs: number;
}

export const PATIENCE: Patience = {
  attemptsMax: 4,
  timeoutMs: 10_000,
  delayFirstMs: 250,
  delayMaxMs: 10_000,
};

/** Larger answers are not read to their end. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/**
 * Calls the platform, again after what passes (no answer, 408, 425, 429, 5xx): all of its calls may be repeated.
 * Follows no redirect, since the next address would get the token.
 */
export async function callPlatform(call: PlatformCall, patience = PATIENCE): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce(call, patience.timeoutMs);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.final || attempt >= patience.attemptsMax) throw error;
      const delayMs = error.retryAfterMs ?? backOff(patience.delayFirstMs, attempt, patience.delayMaxMs);
      if (delayMs > patience.delayMaxMs) throw error;
      await sleep(delayMs);
    }
  }
}

/** Doubles, less up to half of it by chance, so that many callers do not come back in step. */
export function backOff(firstMs: number, attempt: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), maxMs) * (0.5 + Math.random() / 2);
}

/** Reads `Retry-After`, which is a number of seconds or a date; null for anything else. */
export function readRetryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

function isPassing(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status);
}

async function attemptOnce(call: PlatformCall, timeoutMs: number): Promise<unknown> {
  const { method, url, headers, body } = call;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, { method, headers, body, signal });
    const text = await readText(response);
    const { statusCode: status } = response;
    if (status >= 200 && status < 300) return text === '' ? null : parse(text);
    throw refusal(response, parse(text));
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw new PlatformError('The platform gave no answer.', null, null, null, error);
  }
}

async function readText({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}

/** Null for what is no JSON: error pages of proxies are HTML. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function refusal({ statusCode, headers }: Dispatcher.ResponseData, body: unknown): PlatformError {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const id = [fields.id, fields.error].find((one): one is string => typeof one === 'string');
  const said = typeof fields.message === 'string' ? `: ${fields.message.slice(0, 500)}` : '.';
  const retryAfter = headers['retry-after'];
  return new PlatformError(
    `The platform answered ${statusCode}${said}`,
    statusCode,
    id ?? null,
    readRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, new Date()),
  );
}
