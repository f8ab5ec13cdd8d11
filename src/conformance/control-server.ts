import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { durationMs } from './duration.js';
import { isObject } from './exchange.js';
import { readCallBack } from './platform-request.js';
import { ServeRefusal, type ServedPlatform } from './served-platform.js';
import { ssoPage } from './sso-page.js';

interface Answer {
  status: number;
  body: unknown;
  page?: string;
}

/** What a person or a script asks of a served platform, over HTTP on loopback. It has no password, so it answers no web page. */
export class ControlServer {
  private server: Server | null = null;

  constructor(private readonly platform: ServedPlatform) {}

  /** `port` 0: any free one. */
  async start(port: number): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.server = server;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    const address = this.server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** The page that signs a browser on. */
  ssoUrl(uuid: string): string {
    return `${this.url}/resources/${uuid}/sso`;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, page } = await this.answer(request).catch((error: unknown): Answer => {
      if (error instanceof ServeRefusal) return { status: error.status, body: { message: error.message } };
      return { status: 500, body: { message: error instanceof Error ? error.message : String(error) } };
    });
    response.writeHead(status, {
      'content-type': page === undefined ? 'application/json' : 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(page ?? `${JSON.stringify(body)}\n`);
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    // A page in the developer's browser may send requests here too, also by a name of its own that leads to loopback.
    if (request.headers.origin !== undefined || !isOwnHost(request.headers.host, this.url))
      return { status: 403, body: { message: 'Web pages may not ask here.' } };
    const read = await readCallBack(request);
    if (read === null) return { status: 400, body: { message: 'The body is no JSON, or too large.' } };
    const { method, path, json } = read;
    const fields = isObject(json) ? json : {};
    const [, kind, uuid, action, ...more] = path.split('/').map(decode);
    const what = [method, kind, uuid === undefined ? '' : ':uuid', action ?? '', ...more].join(' ').trim();
    switch (what) {
      case 'GET resources':
        return { status: 200, body: this.platform.list() };
      case 'POST resources':
        return {
          status: 201,
          body: await this.platform.provision({
            plan: textOf(fields, 'plan'),
            options: isObject(fields.options) ? fields.options : {},
          }),
        };
      case 'GET resources :uuid':
        return { status: 200, body: this.platform.get(uuid ?? '') };
      case 'POST resources :uuid repeat':
        return { status: 200, body: await this.platform.repeat(uuid ?? '') };
      case 'PATCH resources :uuid':
        return { status: 200, body: await this.platform.changePlan(uuid ?? '', neededText(fields, 'plan')) };
      case 'DELETE resources :uuid':
        return { status: 200, body: await this.platform.deprovision(uuid ?? '') };
      case 'GET resources :uuid sso': {
        const { url, fields: form } = this.platform.signOn(uuid ?? '');
        return { status: 200, body: null, page: ssoPage(url, form) };
      }
      case 'GET clock':
        return { status: 200, body: { now: this.platform.now().toISOString() } };
      case 'POST clock':
        return { status: 200, body: { now: await this.advance(neededText(fields, 'advance')) } };
      case 'GET log':
        return { status: 200, body: this.platform.log };
      default:
        return { status: 404, body: { message: 'Nothing is here.' } };
    }
  }

  private async advance(text: string): Promise<string> {
    const ms = durationMs(text);
    if (ms === null) throw new ServeRefusal(422, '"advance" is a time like +8h, 90m or 1d12h.');
    return (await this.platform.advance(ms)).toISOString();
  }
}

function isOwnHost(host: string | undefined, url: string): boolean {
  const { port } = new URL(url);
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Half an escape names nothing that there is.
    return part;
  }
}

function textOf(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  if (value !== undefined && typeof value !== 'string')
    throw new ServeRefusal(422, `"${name}" must be a text.`);
  return value;
}

function neededText(fields: Record<string, unknown>, name: string): string {
  const value = textOf(fields, name);
  if (value === undefined) throw new ServeRefusal(422, `"${name}" is missing.`);
  return value;
}
