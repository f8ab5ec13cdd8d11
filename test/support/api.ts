import assert from 'node:assert/strict';

/** An answer, with its body read. */
export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

/** Speaks to a broker over HTTP, as any client does. */
export class Api {
  constructor(
    readonly url: string,
    /** null: without credentials. */
    readonly token: string | null,
  ) {}

  get<T = unknown>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send<T>('GET', path, undefined, headers);
  }

  post<T = unknown>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send<T>('POST', path, body, headers);
  }

  patch<T = unknown>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send<T>('PATCH', path, body, headers);
  }

  delete<T = unknown>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.send<T>('DELETE', path, body, {});
  }

  /** `body`: a text is sent as it is. */
  async send<T>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    };
  }
}

/** The body of an answer that must have succeeded. */
export function ok<T>(answer: Answer<T>): T {
  assert.ok(answer.status < 300, `status ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A refusal must have this status and id, and a sentence for people. */
export function assertRefused(answer: Answer, status: number, id: string): void {
  const body = answer.body as { id?: string; message?: string };
  assert.deepEqual({ status: answer.status, id: body.id }, { status, id }, JSON.stringify(body));
  assert.match(body.message ?? '', /^\S+ .{8,}[.!?"]$/s, 'a sentence that helps');
  assert.doesNotMatch(body.message ?? '', /undefined|\[object|Error:|at .*\.js/);
}
