export interface SentRequest {
  method: 'POST' | 'PUT' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  body: string | null;
}

export type Answer = {
  kind: 'answered';
  status: number;
  text: string;
  /** undefined: the body is no JSON. */
  json: unknown;
  retryAfterSeconds: number | null;
};

/** What came of one request. */
export type Reply = Answer | { kind: 'unanswered'; why: string };

export interface Exchange {
  request: SentRequest;
  reply: Reply;
}

/** What was sent and what came back, ready to be shown: secrets masked, the provider's words neutralised. */
export interface ShownExchange {
  sent: string;
  received: string;
}

const SHOWN_LENGTH_MAX = 400;

/** Shorter texts stand everywhere by chance; hiding them would make a report unreadable. */
const SECRET_LENGTH_MIN = 4;

/** What must not be shown: grows while the test runs, since providers answer with credentials. */
export class Mask {
  private readonly secrets = new Set<string>();

  hide(...values: unknown[]): void {
    for (const value of values)
      if (typeof value === 'string' && value.length >= SECRET_LENGTH_MIN) {
        this.secrets.add(value);
        // The same value as it stands in a JSON body, in an address and in a form.
        this.secrets.add(JSON.stringify(value).slice(1, -1));
        this.secrets.add(encodeURIComponent(value.replace(/\p{Cs}/gu, '\ufffd')));
      }
  }

  /** A text that can be shown: no secret, no control character, none that reorders text, bounded. */
  show(text: string): string {
    let shown = text;
    // Longest first, so that no part of a secret stays when another secret is within it.
    for (const secret of [...this.secrets].sort((a, b) => b.length - a.length))
      shown = shown.replaceAll(secret, '•••');
    shown = shown
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1•••@')
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ')
      .trim();
    return shown.length > SHOWN_LENGTH_MAX ? `${shown.slice(0, SHOWN_LENGTH_MAX)}…` : shown;
  }

  showExchange({ request, reply }: Exchange): ShownExchange {
    const credentials = request.headers.authorization === undefined ? ', no credentials' : '';
    const body = request.body === null ? '' : ` ${this.show(request.body)}`;
    return {
      sent: `${request.method} ${this.show(request.url)}${credentials}${body}`,
      received:
        reply.kind === 'unanswered'
          ? `no answer: ${this.show(reply.why)}`
          : `${reply.status} ${reply.text.trim() === '' ? '(no body)' : this.show(reply.text)}`,
    };
  }
}

/** True for an answer whose status is 2xx. */
export function isSuccess(reply: Reply): reply is Answer {
  return reply.kind === 'answered' && reply.status >= 200 && reply.status < 300;
}

/** True for an answer with one of these statuses. */
export function hasStatus(reply: Reply, ...statuses: number[]): boolean {
  return reply.kind === 'answered' && statuses.includes(reply.status);
}

/** 408, 425, 429 and 503 give no verdict: a platform asks again. */
export function isBusy(reply: Reply): reply is Answer {
  return hasStatus(reply, 408, 425, 429, 503);
}

/** `HTTP 500`, or that there was no answer. */
export function outcomeOf(reply: Reply): string {
  return reply.kind === 'answered' ? `HTTP ${reply.status}` : `no answer (${reply.why})`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
