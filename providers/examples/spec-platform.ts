import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT_SECRET = 'the client secret';

/** One call that the platform got. */
export interface Heard {
  method: string;
  path: string;
  authorization: string | undefined;
  contentType: string | undefined;
  body: string;
}

/** What the next call that fits gets instead of its answer. */
interface Fault {
  fits: (call: Heard) => boolean;
  status: number;
  headers: Record<string, string>;
  /** The platform does what it was asked for, and only the answer is lost. */
  afterwards: boolean;
}

/** The platform's side of the back-calls, as the contract says, over real HTTP; faults are put in its way one by one. */
export class ScriptedPlatform {
  readonly calls: Heard[] = [];
  readonly states = new Map<string, 'provisioning' | 'provisioned' | 'deprovisioned'>();
  readonly config = new Map<string, Record<string, string>>();
  /** Codes that were not exchanged yet, and refresh tokens, each with its add-on. */
  private readonly codes = new Map<string, string>();
  private readonly refreshTokens = new Map<string, string>();
  private readonly accessTokens = new Map<string, string>();
  private readonly faults: Fault[] = [];
  private count = 0;
  expiresInSeconds = 28_800;
  rotates = false;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedPlatform> {
    const server = createServer();
    const platform = new ScriptedPlatform(server);
    server.on('request', (request, response) => void platform.hear(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A new add-on in `provisioning`, and the grant for its provision. */
  addon(uuid: string): { code: string; expires_at: string; type: string } {
    if (!this.states.has(uuid)) this.states.set(uuid, 'provisioning');
    const code = `code-${++this.count}`;
    this.codes.set(code, uuid);
    return { code, expires_at: new Date(Date.now() + 300_000).toISOString(), type: 'authorization_code' };
  }

  fail(method: string, end: string, status: number, more: Partial<Fault> = {}): void {
    const fits = (call: Heard) => call.method === method && call.path.endsWith(end);
    this.faults.push({ fits, status, headers: {}, afterwards: false, ...more });
  }

  /** As after a reset of the client secret. */
  endAccessTokens(): void {
    this.accessTokens.clear();
  }

  heard(method: string, end: string): Heard[] {
    return this.calls.filter((call) => call.method === method && call.path.endsWith(end));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call: Heard = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'],
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.calls.push(call);
    const index = this.faults.findIndex(({ fits }) => fits(call));
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    const [status, body] = fault?.afterwards === false ? [fault.status, {}] : this.answer(call);
    if (fault?.status === 0) {
      response.destroy();
      return;
    }
    response.writeHead(fault?.status ?? status, { 'content-type': 'application/json', ...fault?.headers });
    response.end(JSON.stringify(body));
  }

  private answer(call: Heard): [number, unknown] {
    if (call.path === '/oauth/token') return this.exchange(new URLSearchParams(call.body));
    const [, , uuid = '', ...rest] = call.path.split('/');
    const owner = this.accessTokens.get((call.authorization ?? '').replace('Bearer ', ''));
    if (owner === undefined) return [401, { id: 'unauthorized', message: 'Invalid credentials provided.' }];
    const state = this.states.get(uuid);
    if (owner !== uuid || state === undefined || state === 'deprovisioned')
      return [404, { id: 'not_found', message: 'Not found.' }];
    switch (`${call.method} ${rest.join('/')}`) {
      case 'GET ':
        return [200, { id: uuid, name: 'acme', state, plan: { id: '1', name: 'slow:test' } }];
      case 'GET config':
        return [200, this.listed(uuid)];
      case 'PATCH config':
        return this.patch(uuid, call.body);
      case 'POST actions/provision':
        this.states.set(uuid, 'provisioned');
        return [200, { id: uuid, state: 'provisioned' }];
      case 'POST actions/deprovision':
        this.states.set(uuid, 'deprovisioned');
        return [200, { id: uuid, state: 'deprovisioned' }];
      default:
        return [404, { id: 'not_found', message: 'Not found.' }];
    }
  }

  private exchange(form: URLSearchParams): [number, unknown] {
    if (form.get('client_secret') !== CLIENT_SECRET) return [401, { message: 'Unknown client.' }];
    const code = form.get('code') ?? '';
    const refresh = form.get('refresh_token') ?? '';
    const uuid =
      form.get('grant_type') === 'authorization_code'
        ? this.codes.get(code)
        : this.refreshTokens.get(refresh);
    if (uuid === undefined)
      return [400, { error: 'invalid_grant', message: 'The grant is spent or unknown.' }];
    this.codes.delete(code);
    const n = ++this.count;
    const kept = refresh !== '' && !this.rotates ? refresh : `refresh-${n}`;
    if (refresh !== '' && this.rotates) this.refreshTokens.delete(refresh);
    this.refreshTokens.set(kept, uuid);
    this.accessTokens.set(`access-${n}`, uuid);
    return [
      200,
      {
        access_token: `access-${n}`,
        refresh_token: kept,
        expires_in: this.expiresInSeconds,
        token_type: 'Bearer',
        user_id: '1',
        session_nonce: null,
      },
    ];
  }

  private patch(uuid: string, body: string): [number, unknown] {
    const { config } = JSON.parse(body) as { config: { name: string; value: string | null }[] };
    const vars = { ...this.config.get(uuid) };
    for (const { name, value } of config)
      if (value === null) delete vars[name];
      else vars[name] = value;
    this.config.set(uuid, vars);
    return [200, this.listed(uuid)];
  }

  private listed(uuid: string): { name: string; value: string }[] {
    return Object.entries(this.config.get(uuid) ?? {}).map(([name, value]) => ({ name, value }));
  }
}
