import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { plusMs, type Clock } from '../kernel/clock.js';
import { isObject, type Mask } from './exchange.js';
import { matchPlatformRoute, readCallBack, type CallBack } from './platform-request.js';

const GRANT_MS = 300_000;
const TOKEN_SECONDS = 28_800;

export interface OauthGrant {
  code: string;
  expires_at: string;
  type: 'authorization_code';
}

/** What the platform knows of one resource under test. */
export interface PlatformAddon {
  uuid: string;
  plan: string;
  state: 'provisioning' | 'provisioned' | 'deprovisioned';
  /** Every value that the provider set by PATCH, as it was sent. */
  config: Record<string, unknown>;
  /** Calls of `actions/provision` that came with a good token. */
  finishes: number;
  tokens: number;
  /** What the provider's call-backs were refused for, in words. */
  refusals: string[];
  /** So many answers to `actions/provision` get lost on their way. */
  lostAnswers: number;
  /** Its end is confirmed: its tokens open nothing more, and say so. */
  gone: boolean;
}

/** A call-back with its answer, ready to be shown. */
export interface ShownCallBack {
  uuid: string | null;
  sent: string;
  answered: string;
}

/** Whom a code or a token speaks for, and until when. */
interface Title {
  uuid: string;
  expiresAt: Date;
}

interface Answer {
  status: number;
  body: unknown;
  /** It was done, and the answer never arrives. */
  lost?: boolean;
}

/**
 * The platform side of the Partner API on loopback, as far as a provider calls back: grants and tokens, the add-on, its
 * config, and the end of asynchronous work. It keeps nothing after the test.
 */
export class LocalPlatform {
  private readonly addons = new Map<string, PlatformAddon>();
  /** Told of each call-back when it was answered. */
  onCallBack: ((shown: ShownCallBack) => void) | null = null;
  private readonly codes = new Map<string, Title>();
  private readonly tokens = new Map<string, Title>();
  private readonly uuidOfRefresh = new Map<string, string>();
  private readonly listeners = new Set<() => void>();
  private server: Server | null = null;

  constructor(
    private readonly service: { slug: string; plan: string },
    private readonly mask: Mask,
    private readonly clock: Clock,
  ) {}

  /** `port` 0: any free one. */
  async start(port: number): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response));
    server.requestTimeout = 30_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.server = server;
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    const address = this.server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** Makes the add-on known before its provider hears of it, with a fresh grant. */
  admit(uuid: string, plan = this.service.plan): OauthGrant {
    if (!this.addons.has(uuid))
      this.addons.set(uuid, {
        uuid,
        plan,
        state: 'provisioning',
        config: {},
        finishes: 0,
        tokens: 0,
        refusals: [],
        lostAnswers: 0,
        gone: false,
      });
    const code = randomUUID();
    this.mask.hide(code);
    const expiresAt = plusMs(this.clock.now(), GRANT_MS);
    this.codes.set(code, { uuid, expiresAt });
    return {
      code,
      expires_at: expiresAt.toISOString(),
      type: 'authorization_code',
    };
  }

  addon(uuid: string): PlatformAddon {
    const addon = this.addons.get(uuid);
    if (addon === undefined) throw new Error(`the platform was never told of ${uuid}`);
    return addon;
  }

  /** True as soon as the condition holds; false when it did not within the time. Rejects when the signal is raised. */
  async until(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (condition()) return true;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(check);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const check = () => {
        if (condition()) end(() => resolve(true));
      };
      const abort = () => end(() => reject(signal.reason as Error));
      const timer = setTimeout(() => end(() => resolve(false)), timeoutMs);
      this.listeners.add(check);
      signal.addEventListener('abort', abort);
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const callBack = await readCallBack(request);
    const answer: Answer =
      callBack === null
        ? { status: 400, body: { id: 'bad_request', message: 'The body could not be read.' } }
        : this.answer(callBack);
    if (callBack !== null) this.onCallBack?.(this.show(callBack, answer));
    for (const listen of [...this.listeners]) listen();
    if (answer.lost === true) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  }

  private answer(callBack: CallBack): Answer {
    const route = matchPlatformRoute(callBack);
    if (route === null) return { status: 404, body: { id: 'not_found', message: 'Nothing is here.' } };
    if (route.name === 'token') return this.exchange(callBack);
    const title = this.tokens.get(callBack.bearer ?? '');
    const addon = this.addons.get(route.uuid);
    if (title !== undefined && title.uuid === addon?.uuid && this.isOver(title)) {
      addon.refusals.push(`${callBack.method} ${route.name}: the access token has expired`);
      return { status: 401, body: { id: 'unauthorized', message: 'The access token has expired.' } };
    }
    if (title === undefined || title.uuid !== addon?.uuid) {
      addon?.refusals.push(`${callBack.method} ${route.name}: no valid access token of this resource`);
      return { status: 401, body: { id: 'unauthorized', message: 'The access token is not valid here.' } };
    }
    if (addon.gone) return { status: 410, body: { id: 'gone', message: 'The add-on is gone.' } };
    switch (route.name) {
      case 'addon':
        return { status: 200, body: this.present(addon) };
      case 'config':
        return callBack.method === 'PATCH' ? this.patch(addon, callBack) : this.listConfig(addon);
      case 'provision':
        return this.finish(addon);
      case 'deprovision':
        addon.state = 'deprovisioned';
        return { status: 200, body: this.present(addon) };
    }
  }

  /** No client_id: the code or the refresh token names the client. A code may come twice, as it does in the field. */
  private exchange({ fields }: CallBack): Answer {
    const refresh = fields.grant_type === 'refresh_token';
    this.mask.hide(fields.client_secret);
    const code = this.codes.get(fields.code ?? '');
    const uuid = refresh
      ? this.uuidOfRefresh.get(fields.refresh_token ?? '')
      : code === undefined || this.isOver(code)
        ? undefined
        : code.uuid;
    if (uuid === undefined || this.addon(uuid).gone)
      return {
        status: 401,
        body: {
          error: 'invalid_grant',
          id: 'unauthorized',
          message: 'The grant is not known, or it ran out.',
        },
      };
    const [access, fresh] = [randomBytes(24).toString('base64url'), randomBytes(24).toString('base64url')];
    const again = refresh ? (fields.refresh_token ?? fresh) : fresh;
    this.mask.hide(access, again);
    this.tokens.set(access, { uuid, expiresAt: plusMs(this.clock.now(), TOKEN_SECONDS * 1_000) });
    this.uuidOfRefresh.set(again, uuid);
    this.addon(uuid).tokens += 1;
    return {
      status: 200,
      body: {
        access_token: access,
        refresh_token: again,
        expires_in: TOKEN_SECONDS,
        token_type: 'Bearer',
        user_id: uuid,
        session_nonce: null,
      },
    };
  }

  private patch(addon: PlatformAddon, { json }: CallBack): Answer {
    const list = isObject(json) && Array.isArray(json.config) ? json.config.filter(isObject) : null;
    if (list === null) {
      addon.refusals.push('PATCH config: the body must be {"config":[{"name":…,"value":…}]}');
      return { status: 422, body: { id: 'invalid_params', message: 'config must be a list.' } };
    }
    for (const { name, value } of list) {
      this.mask.hide(value);
      if (value === null) delete addon.config[String(name)];
      else addon.config[String(name)] = value;
    }
    return this.listConfig(addon);
  }

  private isOver({ expiresAt }: Title): boolean {
    return expiresAt <= this.clock.now();
  }

  /** Config values, codes, tokens and client secrets are left out by their place, however short they are. */
  private show({ method, path, json, fields }: CallBack, { status, body }: Answer): ShownCallBack {
    const isToken = path === '/oauth/token';
    const sent = isToken ? { grant_type: fields.grant_type } : json;
    const text = (value: unknown) =>
      value === null || value === undefined ? '' : ` ${this.mask.show(JSON.stringify(value, withoutValues))}`;
    return {
      uuid: matchUuid(path),
      sent: `${method} ${this.mask.show(path)}${text(sent)}`,
      answered: `${status}${text(body)}`,
    };
  }

  private listConfig(addon: PlatformAddon): Answer {
    return { status: 200, body: Object.entries(addon.config).map(([name, value]) => ({ name, value })) };
  }

  private finish(addon: PlatformAddon): Answer {
    addon.finishes += 1;
    if (addon.state === 'provisioning') addon.state = 'provisioned';
    if (addon.lostAnswers > 0) {
      addon.lostAnswers -= 1;
      return { status: 200, body: null, lost: true };
    }
    return { status: 200, body: this.present(addon) };
  }

  private present(addon: PlatformAddon): Record<string, unknown> {
    const { slug } = this.service;
    const { plan } = addon;
    return {
      id: addon.uuid,
      name: nameOf(addon.uuid),
      state: addon.state,
      addon_service: { id: slug, name: slug },
      plan: { id: plan, name: `${slug}:${plan}` },
      app: { id: APP_ID, name: 'conformance-app' },
      billing_entity: { id: APP_ID, name: 'conformance-app', type: 'app' },
      config_vars: Object.keys(addon.config),
      actions: [],
      provider_id: addon.uuid,
      web_url: null,
    };
  }
}

/** For `JSON.stringify`: what stands in a `value` or is a token is not shown. */
function withoutValues(name: string, value: unknown): unknown {
  return ['value', 'access_token', 'refresh_token'].includes(name) && value !== null ? '•••' : value;
}

function matchUuid(path: string): string | null {
  const [, addons, uuid] = path.split('/');
  return addons === 'addons' && uuid !== undefined ? uuid : null;
}

const APP_ID = '00000000-0000-4000-8000-00000000c0de';

/** The global name that a resource under test has. */
export function nameOf(uuid: string): string {
  return `conformance-${uuid.slice(0, 8)}`;
}
