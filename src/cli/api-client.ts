import { resolve } from 'node:path';
import { readCredentials } from '../roots/credentials.js';

/** Where the server is, and who asks. */
export interface Target {
  url: string;
  token: string;
}

/** The server refused, or could not be reached; the message is for the person at the terminal. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number | null,
    readonly id: string | null,
  ) {
    super(id === null ? message : `${message} (${id})`);
    this.name = 'ApiError';
  }
}

/** `SOUK_URL` and `SOUK_TOKEN`; what they leave open comes from the folder of a Souk on this machine. */
export function findTarget(env: NodeJS.ProcessEnv, cwd: string): Target {
  const home = resolve(env.SOUK_HOME ?? `${cwd}/.souk`);
  const known = readCredentials(home);
  const url = env.SOUK_URL ?? known?.url ?? null;
  const token = env.SOUK_TOKEN ?? known?.token ?? null;
  if (url === null || token === null)
    throw new ApiError(
      `No server is known: there is none in ${home}. Start one with \`npm start\`, or set SOUK_URL and SOUK_TOKEN.`,
      null,
      null,
    );
  if (!URL.canParse(url))
    throw new ApiError(`SOUK_URL must be a URL such as http://127.0.0.1:5000, not "${url}".`, null, null);
  return { url: url.replace(/\/+$/, ''), token };
}

/** Calls the Platform and operator API as any client does. */
export class ApiClient {
  constructor(private readonly target: Target) {}

  get url(): string {
    return this.target.url;
  }

  get<T>(path: string, range?: string): Promise<T> {
    return this.call<T>('GET', path, undefined, range === undefined ? {} : { range });
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.call<T>('PATCH', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.call<T>('DELETE', path);
  }

  private async call<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await this.send(method, path, body, headers);
    const text = await response.text();
    const answer: unknown = text === '' ? null : parse(text);
    if (response.ok) return answer as T;
    const { id, message } = (typeof answer === 'object' && answer !== null ? answer : {}) as {
      id?: string;
      message?: string;
    };
    throw new ApiError(message ?? `The server answered ${response.status}.`, response.status, id ?? null);
  }

  private async send(
    method: string,
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<Response> {
    try {
      return await fetch(`${this.target.url}${path}`, {
        method,
        headers: {
          accept: 'application/vnd.heroku+json; version=3',
          authorization: `Bearer ${this.target.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      const why =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new ApiError(
        `No Souk answers at ${this.target.url} (${why}). Start it with \`npm start\`, or set SOUK_URL.`,
        null,
        null,
      );
    }
  }
}

/** The client of the command that runs. */
export function clientFromEnv(): ApiClient {
  return new ApiClient(findTarget(process.env, process.cwd()));
}

/** Something between us and the server may answer with a page of its own. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
