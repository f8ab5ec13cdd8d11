import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { reportDone, type CallBackHabit } from './async-worker.js';

/** What a provider may do wrong, one at a time. null: nothing. */
export type Habit =
  | CallBackHabit
  | 'accept-406'
  | 'provision-500'
  | 'provision-302'
  | 'provision-text'
  | 'provision-without-id'
  | 'config-number'
  | 'config-undeclared'
  | 'config-no-url'
  | 'unknown-fields-422'
  | 'open-without-credentials'
  | 'missing-credentials-400'
  | 'any-password'
  | 'existence-first'
  | 'new-id-each-time'
  | 'known-uuid-422'
  | 'new-password-each-time'
  | 'constant-id'
  | 'look-then-insert'
  | 'no-plan-change'
  | 'same-plan-422'
  | 'any-plan'
  | 'unknown-id-200'
  | 'unknown-id-500'
  | 'sso-closed'
  | 'sso-any-token'
  | 'sso-for-ever'
  | 'delete-500'
  | 'delete-never'
  | 'second-delete-500'
  | 'late-provision-200'
  | 'late-provision-500'
  | 'locked-by-hang-up'
  | 'one-at-a-time'
  | 'buried-alive'
  | 'revived-by-repeat'
  | 'action-500'
  | 'run-done-twice'
  | 'any-action'
  | 'no-drain-url'
  | 'drain-415'
  | 'repeated-frame-409'
  | 'open-drain';

interface Resource {
  id: string;
  uuid: string;
  plan: string;
  password: string;
}

interface Answer {
  status: number;
  body?: unknown;
}

const SALT = 'salt-of-the-scriptable';
const PASSWORD = 'password-of-the-scriptable';
const SLUG = 'scriptable';
/** What a terminal or a log must not get: an escape sequence, text that runs backwards, markup, a secret. */
const HOSTILE = `\u001b[2J\u202eno <b>&"]]> ${PASSWORD}`;
const FIELDS = [
  'uuid',
  'name',
  'plan',
  'region',
  'callback_url',
  'oauth_grant',
  'options',
  'log_drain_token',
];
const PLANS = ['small', 'large'];
/** How long a slow habit dawdles: far longer than loopback takes, far shorter than any deadline of the tester. */
const DAWDLE_MS = 60;

/** A provider that keeps every rule of the contract, or all but one: a real HTTP server on loopback. */
export class ScriptableProvider {
  private readonly resources = new Map<string, Resource>();
  private readonly gone = new Map<string, Resource>();
  private readonly buried = new Set<string>();
  private readonly locked = new Set<string>();
  private readonly runs = new Map<string, number>();
  private readonly frames = new Set<string>();
  private readonly deletes = new Map<string, () => void>();
  private actions = 0;
  private queue: Promise<void> = Promise.resolve();
  private server: Server | null = null;

  constructor(
    private readonly habit: Habit | null = null,
    private readonly asynchronous = false,
  ) {}

  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  /** uuids of what exists. */
  live(): string[] {
    return [...this.resources.keys()];
  }

  manifest(): Record<string, unknown> {
    return {
      id: SLUG,
      name: 'Scriptable',
      api: {
        version: '3',
        config_vars: ['SCRIPTABLE_URL', 'SCRIPTABLE_PORT'],
        password: PASSWORD,
        sso_salt: SALT,
        regions: ['eu'],
        requires: ['attachable', 'syslog_drain'],
        production: { base_url: `${this.url}/heroku/resources`, sso_url: `${this.url}/sso` },
      },
      souk: { actions: [{ name: 'count', title: 'Count', kind: 'command' }] },
      plans: PLANS.map((id) => ({ id, name: id, price: { cents: 100 } })),
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.habit === 'one-at-a-time') {
      const before = this.queue;
      let end: () => void = () => undefined;
      this.queue = new Promise((resolve) => (end = resolve));
      request.once('error', end);
      response.once('close', end);
      await before;
    }
    const body = await read(request);
    if (body === null) {
      response.destroy();
      return;
    }
    const { status, body: answer } = await this.answer(request, body);
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status === 302 ? { location: '/elsewhere' } : {}),
    });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}));
  }

  private async answer(request: IncomingMessage, body: string): Promise<Answer> {
    const [path = ''] = (request.url ?? '').split('?');
    if (path === '/sso') return this.signOn(Object.fromEntries(new URLSearchParams(body)));
    if (path.startsWith('/logs/')) return this.takeLogs(request, body);
    const id = decodeURIComponent(path.split('/')[3] ?? '');
    if (this.habit === 'existence-first' && id !== '' && this.find(id) === null && !this.wasThere(id))
      return { status: 404 };
    const refusal = this.authorise(request.headers.authorization);
    if (refusal !== null) return refusal;
    if (this.habit === 'accept-406' && request.headers.accept?.includes('vnd.heroku-addons') === true)
      return { status: 406 };
    const fields = (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>;
    const [, , , , isAction, action = ''] = path.split('/');
    switch (request.method) {
      case 'POST':
        if (isAction === 'actions') return this.act(id, action, String(fields.id));
        return this.provision(fields, request);
      case 'PUT':
        return this.changePlan(id, String(fields.plan));
      default:
        return this.deprovision(id);
    }
  }

  private authorise(header: string | undefined): Answer | null {
    if (header === undefined) {
      if (this.habit === 'open-without-credentials') return null;
      return { status: this.habit === 'missing-credentials-400' ? 400 : 401 };
    }
    const given = Buffer.from(header.split(' ')[1] ?? '', 'base64').toString();
    if (this.habit === 'any-password' && given.startsWith(`${SLUG}:`)) return null;
    // An id that is not there was answered before: what is left is somebody with a wrong password.
    return given === `${SLUG}:${PASSWORD}` ? null : { status: 401 };
  }

  private async provision(fields: Record<string, unknown>, request: IncomingMessage): Promise<Answer> {
    const { habit } = this;
    const uuid = String(fields.uuid);
    if (habit === 'provision-500') return { status: 500 };
    if (habit === 'provision-302') return { status: 302 };
    if (habit === 'unknown-fields-422' && Object.keys(fields).some((name) => !FIELDS.includes(name)))
      return { status: 422, body: { message: 'What is that?' } };
    if (this.locked.has(uuid)) return { status: 422, body: { message: 'It is being made already.' } };
    const late = this.gone.get(uuid);
    if (late !== undefined) {
      if (habit === 'late-provision-200') return this.made(late);
      return { status: habit === 'late-provision-500' ? 500 : 410 };
    }
    const known = this.resources.get(uuid);
    if (habit === 'known-uuid-422' && known !== undefined)
      return { status: 422, body: { message: 'That uuid is taken.' } };
    const resource = known !== undefined && habit !== 'new-id-each-time' ? known : this.draft(uuid, fields);
    await this.dawdle(uuid, known !== undefined, request);
    if (habit === 'new-password-each-time') resource.password = randomBytes(8).toString('hex');
    this.resources.set(uuid, resource);
    if (habit === 'revived-by-repeat') this.gone.delete(uuid);
    if (!this.asynchronous) return this.made(resource);
    if (known === undefined) reportDone(fields, this.configOf(resource), habit);
    return {
      status: 202,
      body: { id: resource.id, message: 'It is being made.', ...this.drainOf(resource) },
    };
  }

  private draft(uuid: string, fields: Record<string, unknown>): Resource {
    const own = this.habit === 'look-then-insert' || this.habit === 'new-id-each-time';
    const id = this.habit === 'constant-id' ? '123' : `id-${own ? randomBytes(6).toString('hex') : uuid}`;
    return { id, uuid, plan: String(fields.plan), password: randomBytes(8).toString('hex') };
  }

  /** What happens between looking and writing, with those who do not take a lock. */
  private async dawdle(uuid: string, isKnown: boolean, request: IncomingMessage): Promise<void> {
    const { habit } = this;
    if (habit === 'look-then-insert' && !isKnown) await wait(DAWDLE_MS);
    if (habit === 'revived-by-repeat' && isKnown)
      await Promise.race([new Promise<void>((resolve) => this.deletes.set(uuid, resolve)), wait(DAWDLE_MS)]);
    if (habit !== 'locked-by-hang-up' || isKnown) return;
    const closed = new Promise<boolean>((resolve) => request.socket.once('close', () => resolve(true)));
    if (request.socket.destroyed || (await Promise.race([closed, wait(DAWDLE_MS, false)])))
      this.locked.add(uuid);
  }

  private made(resource: Resource): Answer {
    if (this.habit === 'provision-text') return { status: 200, body: 'ok' };
    const config = this.configOf(resource);
    if (this.habit === 'provision-without-id') return { status: 200, body: { config } };
    const drain = this.drainOf(resource);
    return { status: 200, body: { id: resource.id, config, message: 'It is ready.', ...drain } };
  }

  private drainOf({ uuid }: Resource): { log_drain_url?: string } {
    if (this.habit === 'no-drain-url') return {};
    const { host } = new URL(this.url);
    return { log_drain_url: `http://drain:${uuid}@${host}/logs/${uuid}` };
  }

  /** Reads what the lengths say, and wants as many messages as the header counts. */
  private takeLogs({ headers, url }: IncomingMessage, body: string): Answer {
    const { habit } = this;
    const uuid = url?.split('/')[2] ?? '';
    const right = `Basic ${Buffer.from(`drain:${uuid}`).toString('base64')}`;
    if (headers.authorization !== right && habit !== 'open-drain') return { status: 401 };
    if (habit === 'drain-415' || headers['content-type'] !== 'application/logplex-1') return { status: 415 };
    let rest = Buffer.from(body);
    let messages = 0;
    for (; rest.length > 0; messages += 1) {
      const digits = /^\d+ /.exec(rest.toString())?.[0] ?? '';
      if (digits === '') return { status: 400 };
      rest = rest.subarray(digits.length + Number(digits));
    }
    if (messages !== Number(headers['logplex-msg-count'])) return { status: 400 };
    const frame = String(headers['logplex-frame-id']);
    if (habit === 'repeated-frame-409' && this.frames.has(frame)) return { status: 409 };
    this.frames.add(frame);
    return { status: 204 };
  }

  private configOf({ uuid, password }: Resource): Record<string, unknown> {
    const url = `scriptable://user:${password}@localhost:1/${uuid}`;
    return {
      SCRIPTABLE_URL: this.habit === 'config-no-url' ? `localhost:1/${uuid}` : url,
      SCRIPTABLE_PORT: this.habit === 'config-number' ? 1 : '1',
      ...(this.habit === 'config-undeclared' ? { SCRIPTABLE_EXTRA: 'surprise' } : {}),
    };
  }

  private changePlan(id: string, plan: string): Answer {
    const resource = this.find(id);
    if (resource === null) return { status: this.wasThere(id) ? 410 : 404 };
    if (plan === resource.plan)
      return this.habit === 'same-plan-422' ? { status: 422, body: { message: 'No.' } } : { status: 200 };
    if (!PLANS.includes(plan) && this.habit !== 'any-plan')
      return { status: 422, body: { message: 'There is no such plan.' } };
    if (this.habit === 'no-plan-change' && PLANS.includes(plan)) return { status: 405, body: HOSTILE };
    resource.plan = plan;
    return { status: 200 };
  }

  private act(id: string, action: string, run: string): Answer {
    const { habit } = this;
    if (this.find(id) === null) return { status: this.wasThere(id) ? 410 : 404 };
    if (action !== 'count') return { status: habit === 'any-action' ? 200 : 404 };
    if (habit === 'action-500') return { status: 500 };
    const known = habit === 'run-done-twice' ? undefined : this.runs.get(run);
    const count = known ?? ++this.actions;
    this.runs.set(run, count);
    return { status: 200, body: { result: { count } } };
  }

  private deprovision(id: string): Answer {
    const { habit } = this;
    const resource = this.find(id);
    if (habit === 'delete-never' && resource !== null) return { status: 500 };
    if (resource !== null && !this.buried.has(resource.uuid)) {
      this.resources.delete(resource.uuid);
      this.gone.set(resource.uuid, resource);
      this.deletes.get(resource.uuid)?.();
      return habit === 'delete-500' ? { status: 500 } : { status: 204 };
    }
    if (this.wasThere(id) || resource !== null) return { status: habit === 'second-delete-500' ? 500 : 410 };
    if (habit === 'buried-alive') this.buried.add(id);
    if (habit === 'unknown-id-500') return { status: 500 };
    return { status: habit === 'unknown-id-200' ? 200 : 404 };
  }

  /** By its own id or by the uuid, the youngest first. */
  private find(id: string): Resource | null {
    return [...this.resources.values()].findLast((one) => one.id === id || one.uuid === id) ?? null;
  }

  private wasThere(id: string): boolean {
    return [...this.gone.values()].some((one) => one.id === id || one.uuid === id);
  }

  private signOn(form: Record<string, string>): Answer {
    const { resource_id: uuid = '', timestamp = '0' } = form;
    const good = createHash('sha1').update(`${uuid}:${SALT}:${timestamp}`).digest('hex');
    const isFresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) <= 300;
    if (this.habit === 'sso-closed') return { status: 403 };
    if (form.resource_token !== good && this.habit !== 'sso-any-token') return { status: 403 };
    if (!isFresh && this.habit !== 'sso-for-ever') return { status: 403 };
    return { status: this.resources.has(uuid) ? 302 : 404 };
  }
}

/** null: the platform broke off. */
async function read(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString('utf8');
}
