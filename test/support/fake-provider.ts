import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the next call gets instead of the usual answer. */
export interface Script {
  status?: number;
  /** An object is sent as JSON, a text as it is. */
  body?: unknown;
  /** Added to the usual answer, which is sent otherwise as it is. */
  adds?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Never answers. */
  hang?: boolean;
  /** Ends the connection without an answer. */
  reset?: boolean;
  /** Announces more than it sends, and ends the connection then. */
  cut?: boolean;
  /** Begins to answer, and goes on for ever without an end. */
  drip?: boolean;
  /** Does the work all the same, before the scripted answer: what a lost reply looks like. */
  works?: boolean;
  /** Waits for this before it answers. */
  until?: Promise<void>;
  /** Does this before it answers, as a provider that calls back inside the request. */
  does?: (call: Call) => Promise<unknown>;
}

export interface Call {
  verb: 'provision' | 'deprovision' | 'change_plan' | 'action';
  /** uuid of a provision, else the id in the path. */
  id: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown> | null;
}

/** A partner's service on loopback: a real HTTP server, idempotent by uuid, that tests can make misbehave. */
export class FakeProvider {
  readonly calls: Call[] = [];
  readonly slug = 'pg';
  readonly password = 'partner-password';
  /** Behind the slug and a dash, so that each service has another. */
  readonly clientSecret = 'client-secret';
  /** Answers with ids that are not the uuid, and deletes by those alone, as many partners do. */
  idsOfItsOwn = false;
  /** What it holds beside what it was asked for, or in its place; as the inventory shows it. */
  inventory: (() => unknown) | null = null;
  /** A plan that no resource may change to. */
  planRefused: string | null = null;
  private readonly resources = new Map<string, { plan: string }>();
  private readonly gone = new Set<string>();
  private readonly scripts: Record<Call['verb'], { next: Script[]; always: Script | null }> = {
    provision: { next: [], always: null },
    deprovision: { next: [], always: null },
    change_plan: { next: [], always: null },
    action: { next: [], always: null },
  };
  private server: Server | null = null;

  async start(): Promise<void> {
    this.server = createServer((request, response) => void this.answer(request, response));
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** Its port refuses connections until it is back. */
  async away(): Promise<{ back: () => Promise<void> }> {
    const { port } = this.server?.address() as AddressInfo;
    await this.stop();
    return {
      back: () => new Promise<void>((resolve) => this.server?.listen(port, '127.0.0.1', () => resolve())),
    };
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  /** The next provision gets this; with `always`, every one until told otherwise. null: all as usual again. */
  onProvision(script: Script | null, always = false): void {
    this.script('provision', script, always);
  }

  onDeprovision(script: Script | null, always = false): void {
    this.script('deprovision', script, always);
  }

  onPlanChange(script: Script | null, always = false): void {
    this.script('change_plan', script, always);
  }

  onAction(script: Script | null, always = false): void {
    this.script('action', script, always);
  }

  /** What it did for each run of an action, in order: a run that is asked for again is not done again. */
  readonly actionsDone: { run: string; name: string; params: unknown }[] = [];

  /** The plan that a resource has here. */
  planOf(uuid: string): string | undefined {
    return this.resources.get(uuid)?.plan;
  }

  /** uuids of what exists here. */
  liveResources(): string[] {
    return [...this.resources.keys()].sort();
  }

  /** Its maker removes a resource by hand. */
  forget(uuid: string): void {
    this.resources.delete(uuid);
  }

  callsOf(id: string): Call['verb'][] {
    return this.calls.filter((call) => call.id === id).map(({ verb }) => verb);
  }

  manifest(overrides: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      id: this.slug,
      name: 'Test Postgres',
      api: {
        version: '3',
        config_vars_prefix: 'PG',
        config_vars: ['PG_URL', 'PG_POOL_URL'],
        password: this.password,
        sso_salt: 'salt-of-the-partner',
        regions: ['us', 'eu'],
        requires: ['attachable', 'many_per_app'],
        production: { base_url: `${this.url}/heroku/resources`, sso_url: `${this.url}/sso` },
      },
      souk: { default_attachment: 'DATABASE' },
      plans: [
        { id: 'mini', name: 'Mini', price: { cents: 500 }, default: true },
        { id: 'std', name: 'Standard', price: { cents: 5_000 } },
        { id: 'free', name: 'Free', price: { cents: 0 }, regions: ['us'] },
      ],
      ...overrides,
    };
  }

  private script(verb: Call['verb'], script: Script | null, always: boolean): void {
    if (script === null) this.scripts[verb].next = [];
    if (always || script === null) this.scripts[verb].always = script;
    else this.scripts[verb].next.push(script);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return this.answerInventory(response);
    const text = await read(request);
    const body = text === '' ? null : (JSON.parse(text) as Record<string, unknown>);
    const path = (request.url ?? '').split('/');
    const isAction = path.at(-2) === 'actions';
    const verb = isAction ? 'action' : verbOf(request.method);
    const id = verb === 'provision' ? String(body?.uuid) : (path.at(isAction ? -3 : -1) ?? '');
    const call: Call = { verb, id, headers: request.headers, body };
    this.calls.push(call);
    const scripts = this.scripts[verb];
    const script = scripts.next.shift() ?? scripts.always ?? {};
    if (script.until !== undefined) await script.until;
    await script.does?.(call);
    const usual =
      isUnscripted(script) || script.works === true
        ? this.work(verb, id, body, path.at(-1) ?? '')
        : { status: 200, body: {} };
    if (script.hang === true) return;
    if (script.reset === true) {
      request.socket.destroy();
      return;
    }
    if (script.drip === true) return this.drip(response);
    const sent = 'body' in script ? script.body : addTo(usual.body, script.adds);
    const whole = typeof sent === 'string' ? sent : JSON.stringify(sent);
    response.writeHead(script.status ?? usual.status, {
      'content-type': 'application/json',
      ...(script.cut === true ? { 'content-length': whole.length + 100 } : {}),
      ...script.headers,
    });
    if (script.cut === true) response.write(whole, () => request.socket.destroy());
    else response.end(whole);
  }

  private drip(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  }

  private answerInventory(response: ServerResponse): void {
    const resources = [...this.resources].map(([uuid, { plan }]) => ({
      id: this.idsOfItsOwn ? `own-${uuid}` : uuid,
      uuid,
      plan,
    }));
    const sent = this.inventory === null ? { resources, next: null } : this.inventory();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(typeof sent === 'string' ? sent : JSON.stringify(sent));
  }

  /** Makes a resource that nobody asked for, or takes one away behind everybody's back. */
  tamper(uuid: string, plan: string | null): void {
    if (plan === null) this.resources.delete(uuid);
    else this.resources.set(uuid, { plan });
  }

  /** Credentials stay as they are, and the answer says no config, as with most partners. */
  private changePlan(id: string, plan: string): { status: number; body: unknown } {
    const uuid = [...this.resources.keys()].find((one) => id === (this.idsOfItsOwn ? `own-${one}` : one));
    if (uuid === undefined) return { status: 404, body: { id: 'not_found', message: 'No such resource.' } };
    if (plan === this.planRefused) return { status: 422, body: { message: 'Too much data.' } };
    this.resources.set(uuid, { plan });
    return { status: 200, body: { message: `Your database is on ${plan} now.` } };
  }

  private act(
    id: string,
    name: string,
    body: Record<string, unknown> | null,
  ): { status: number; body: unknown } {
    const uuid = [...this.resources.keys()].find((one) => id === (this.idsOfItsOwn ? `own-${one}` : one));
    if (uuid === undefined) return { status: 404, body: { id: 'not_found', message: 'No such resource.' } };
    const run = String(body?.id);
    if (!this.actionsDone.some((one) => one.run === run))
      this.actionsDone.push({ run, name, params: body?.params });
    return { status: 200, body: { result: { run, echo: body?.params }, message: 'Done.' } };
  }

  private work(
    verb: Call['verb'],
    id: string,
    body: Record<string, unknown> | null,
    action: string,
  ): { status: number; body: unknown } {
    const ownId = (uuid: string) => (this.idsOfItsOwn ? `own-${uuid}` : uuid);
    if (verb === 'change_plan') return this.changePlan(id, String(body?.plan));
    if (verb === 'action') return this.act(id, action, body);
    if (verb === 'deprovision') {
      const uuid = [...this.resources.keys()].find((one) => ownId(one) === id);
      const had = uuid !== undefined && this.resources.delete(uuid);
      if (uuid !== undefined) this.gone.add(uuid);
      return had
        ? { status: 204, body: '' }
        : { status: 404, body: { id: 'not_found', message: 'No such resource.' } };
    }
    if (this.gone.has(id)) return { status: 410, body: { id: 'gone', message: 'It was deprovisioned.' } };
    this.resources.set(id, { plan: String(body?.plan) });
    return {
      status: 200,
      body: {
        id: ownId(id),
        message: 'Your database is ready.',
        config: {
          PG_URL: `postgres://user-${id}:secret-${id}@localhost:1/db`,
          PG_POOL_URL: `postgres://localhost:2/${id}`,
        },
      },
    };
  }
}

function verbOf(method: string | undefined): Call['verb'] {
  if (method === 'PUT') return 'change_plan';
  return method === 'DELETE' ? 'deprovision' : 'provision';
}

function addTo(body: unknown, adds: Record<string, unknown> | undefined): unknown {
  return adds === undefined ? body : { ...(body as object), ...adds };
}

function isUnscripted(script: Script): boolean {
  const { until: _until, does: _does, ...rest } = script;
  return Object.keys(rest).length === 0;
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
