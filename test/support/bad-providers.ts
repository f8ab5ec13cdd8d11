import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a provider of this file keeps of a resource. */
interface Resource {
  id: string;
  uuid: string;
  plan: string;
  ready: boolean;
}

interface Request {
  method: string;
  /** The last part of the path of a PUT or DELETE. */
  id: string;
  body: Record<string, unknown>;
}

interface Answer {
  status: number;
  /** A text goes out as it is, under a type that says so. */
  body: unknown;
}

/**
 * How a reply gets lost after the work was done: the connection ends, or there is silence until the caller's time is up.
 */
export type Loss = 'reset' | 'silence';

const PASSWORD = 'password-of-a-bad-provider';

/** The HTTP of a partner who wrote it by hand and knows no kit. What it does wrong is in the classes below. */
export abstract class HandWrittenProvider {
  abstract readonly slug: string;
  readonly clientSecret = 'client-secret-of-a-bad-provider';
  /** What went out, for tests that count calls. */
  readonly calls: string[] = [];
  /** Replies that get lost, by method, each once. */
  readonly losing = new Map<string, Loss>();
  /** Statuses of what it sent to the platform, in order. */
  readonly told: number[] = [];
  protected readonly resources: Resource[] = [];
  private server: Server | null = null;

  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** As the partner's own table has it, sorted by id. */
  get inventory(): { id: string; uuid: string; plan: string }[] {
    return this.resources
      .map(({ id, uuid, plan }) => ({ id, uuid, plan }))
      .sort((a, b) => a.id.localeCompare(b.id));
  }

  get manifest(): Record<string, unknown> {
    const { port } = this.server?.address() as AddressInfo;
    return {
      id: this.slug,
      name: `The provider ${this.slug}`,
      api: {
        version: '3',
        config_vars_prefix: 'BAD',
        config_vars: ['BAD_URL', 'BAD_TOKEN'],
        password: PASSWORD,
        sso_salt: 'salt-of-a-bad-provider',
        regions: ['us', 'eu'],
        requires: ['attachable', 'many_per_app'],
        production: {
          base_url: `http://127.0.0.1:${port}/resources`,
          sso_url: `http://127.0.0.1:${port}/sso`,
        },
      },
      souk: { default_attachment: 'BAD', inventory: true },
      plans: [
        { id: 'mini', name: 'Mini', price: { cents: 500 }, default: true },
        { id: 'std', name: 'Standard', price: { cents: 5_000 } },
      ],
    };
  }

  protected abstract provision(request: Request): Promise<Answer>;
  protected abstract changePlan(request: Request): Answer;
  protected abstract deprovision(request: Request): Answer;

  protected remove(resource: Resource): void {
    this.resources.splice(this.resources.indexOf(resource), 1);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ resources: this.inventory, next: null }));
      return;
    }
    const method = request.method ?? '';
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const asked: Request = {
      method,
      id: decodeURIComponent((request.url ?? '').split('/').at(-1) ?? ''),
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    this.calls.push(method);
    const answer = await this.answerTo(asked);
    const loss = this.losing.get(method);
    this.losing.delete(method);
    if (loss === 'silence') return;
    if (loss === 'reset') {
      request.socket.destroy();
      return;
    }
    const isText = typeof answer.body === 'string';
    response.writeHead(answer.status, { 'content-type': isText ? 'text/html' : 'application/json' });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  }

  private answerTo(request: Request): Promise<Answer> | Answer {
    if (request.method === 'POST') return this.provision(request);
    return request.method === 'PUT' ? this.changePlan(request) : this.deprovision(request);
  }
}

/**
 * Made from an old template: numbers its rows and knows nothing but these numbers. Each POST is a new row, whatever the
 * uuid. What has no config to say is answered by a word, or by a page for people.
 */
export class TemplateProvider extends HandWrittenProvider {
  readonly slug = 'template';
  private lastId = 0;

  protected provision({ body }: Request): Promise<Answer> {
    const id = String((this.lastId += 1));
    this.resources.push({ id, uuid: String(body.uuid), plan: String(body.plan), ready: true });
    return Promise.resolve({ status: 201, body: { id: Number(id), config: { BAD_URL: `bad://${id}` } } });
  }

  protected changePlan({ id, body }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined) return { status: 404, body: '<h1>Not Found</h1>' };
    resource.plan = String(body.plan);
    return { status: 200, body: 'ok' };
  }

  protected deprovision({ id }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined) return { status: 404, body: '<h1>Not Found</h1>' };
    this.remove(resource);
    return { status: 200, body: 'ok' };
  }
}

/**
 * Hands out the lowest number that is free, so that a new resource has the name of one that was deleted. Knows a uuid
 * that it was told again, but answers with empty bodies wherever it can, and exchanges the grant before it answers.
 */
export class RecyclingProvider extends HandWrittenProvider {
  readonly slug = 'recycling';
  /** The platform's address. */
  platform = '';
  /** Names a config var that its manifest lacks, so that its answers are none. */
  undeclared = false;

  protected async provision({ body }: Request): Promise<Answer> {
    const tokens = await exchange(this.platform, body, this.clientSecret);
    this.told.push(tokens.status);
    const uuid = String(body.uuid);
    const known = this.resources.find((one) => one.uuid === uuid);
    const id = known?.id ?? this.lowestFree();
    if (known === undefined) this.resources.push({ id, uuid, plan: String(body.plan), ready: true });
    const name = this.undeclared ? 'UNDECLARED_URL' : 'BAD_URL';
    return { status: 200, body: { id, config: { [name]: `bad://${uuid}` }, message: null } };
  }

  protected changePlan({ id, body }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined) return { status: 404, body: '' };
    resource.plan = String(body.plan);
    return { status: 200, body: '' };
  }

  protected deprovision({ id }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined) return { status: 410, body: '' };
    this.remove(resource);
    return { status: 200, body: '' };
  }

  private lowestFree(): string {
    let id = 1;
    while (this.resources.some((one) => one.id === String(id))) id += 1;
    return String(id);
  }
}

/**
 * Works behind a 202. Exchanges the grant before it answers, says 410 to a DELETE while it is still at work and then
 * goes on to finish, calls back twice each time, and once more after the resource is gone.
 */
export class HastyProvider extends HandWrittenProvider {
  readonly slug = 'hasty';
  /** The platform's address. */
  platform = '';
  private readonly tokens = new Map<string, string>();

  protected async provision({ body }: Request): Promise<Answer> {
    const uuid = String(body.uuid);
    const exchanged = await exchange(this.platform, body, this.clientSecret);
    this.told.push(exchanged.status);
    if (exchanged.token !== null) this.tokens.set(uuid, exchanged.token);
    const known = this.resources.find((one) => one.uuid === uuid);
    if (known === undefined) this.resources.push({ id: uuid, uuid, plan: String(body.plan), ready: false });
    return { status: 202, body: { id: uuid, message: 'In a minute.' } };
  }

  protected changePlan({ id, body }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined) return { status: 404, body: 'no such thing' };
    resource.plan = String(body.plan);
    return { status: 202, body: '' };
  }

  protected deprovision({ id }: Request): Answer {
    const resource = this.resources.find((one) => one.id === id);
    if (resource === undefined || !resource.ready) return { status: 410, body: 'gone' };
    this.remove(resource);
    return { status: 204, body: '' };
  }

  /** Its worker finishes what it began, whether or not anybody wants it still, and says so twice. */
  async finish(uuid: string): Promise<void> {
    const resource = this.resources.find((one) => one.uuid === uuid);
    if (resource !== undefined) resource.ready = true;
    await this.setConfig(uuid, `bad://${uuid}`);
    await this.report(uuid, 'provision');
    await this.report(uuid, 'provision');
  }

  async setConfig(uuid: string, url: string): Promise<void> {
    await this.tell(uuid, 'PATCH', 'config', { config: [{ name: 'BAD_URL', value: url }] });
  }

  async report(uuid: string, what: 'provision' | 'deprovision'): Promise<void> {
    await this.tell(uuid, 'POST', `actions/${what}`, null);
  }

  /** Whatever the platform answers, this one takes no notice. */
  private async tell(uuid: string, method: string, path: string, body: object | null): Promise<void> {
    const response = await fetch(`${this.platform}/addons/${uuid}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.tokens.get(uuid)}`,
        'content-type': 'application/json',
      },
      body: body === null ? null : JSON.stringify(body),
    });
    await response.text();
    this.told.push(response.status);
  }
}

/** By the query string, with an empty body, as some clients do. */
async function exchange(
  platform: string,
  body: Record<string, unknown>,
  clientSecret: string,
): Promise<{ status: number; token: string | null }> {
  const { code, type } = body.oauth_grant as { code: string; type: string };
  const query = new URLSearchParams({ grant_type: type, code, client_secret: clientSecret });
  const response = await fetch(`${platform}/oauth/token?${query.toString()}`, { method: 'POST' });
  const tokens = (await response.json()) as { access_token?: string };
  return { status: response.status, token: tokens.access_token ?? null };
}
