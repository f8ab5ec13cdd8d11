import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { isBusy, isSuccess, outcomeOf, type Exchange, type Mask, type SentRequest } from './exchange.js';
import { configIn, idIn } from './judge-provision.js';
import { LocalPlatform, nameOf } from './local-platform.js';
import type { MadeResources } from './made-resources.js';
import { callProvider, type Delivery } from './provider-caller.js';
import type { ProviderFacts } from './provider-facts.js';
import { NotApplicable, Violation } from './verdict.js';

/** Compared byte for byte by a provider in the field (partner contract, part b). */
export const EXACT_ACCEPT = 'application/vnd.heroku-addons+json; version=3';

const BUSY_TRIES_MAX = 10;
const BUSY_WAIT_MS = 200;
const BUSY_WAIT_MAX_MS = 5_000;

/** What all rules of one run share. */
export interface TestSession {
  facts: ProviderFacts;
  /** The region in the cloud form that providers are told. */
  cloudRegion: string;
  platform: LocalPlatform;
  made: MadeResources;
  mask: Mask;
  /** What is wrong with the manifest, one sentence each. */
  manifestProblems: string[];
  callTimeoutMs: number;
  /** How long asynchronous work may take. */
  asyncTimeoutMs: number;
  /** False for a provider on another machine: nothing there reaches our loopback. */
  canCallBack: boolean;
  /** Another one where the exact header is refused, so that one fault is not reported by every rule. */
  accept: string;
  sample: Promise<Exchange> | null;
  sampleUuid: string;
  /** Told of every call and what came of it, as soon as that is known. */
  onExchange: ((exchange: Exchange) => void) | null;
}

/** A resource that is ready, and how it was answered for. */
export interface ReadyResource {
  uuid: string;
  id: string;
  config: unknown;
  exchange: Exchange;
}

/** How a call differs from the usual one. */
export interface CallOptions {
  /** null: without credentials. */
  credentials?: { user: string; password: string } | null;
  accept?: string;
  /** Fields added to the body. */
  adds?: Record<string, unknown>;
  delivery?: Partial<Delivery>;
}

/** What one rule may do. Every call ends when its time is over or the run is broken off. */
export class Trial {
  readonly warnings: string[] = [];

  constructor(
    readonly session: TestSession,
    readonly signal: AbortSignal,
  ) {}

  get facts(): ProviderFacts {
    return this.session.facts;
  }

  /** What is no failure, but worth a look. */
  warn(sentence: string): void {
    this.warnings.push(sentence);
  }

  /** One provision, as it comes. */
  async provision(uuid: string, options: CallOptions = {}): Promise<Exchange> {
    const { facts, platform, made, cloudRegion } = this.session;
    const body = {
      uuid,
      name: nameOf(uuid),
      plan: facts.plans[0],
      region: cloudRegion,
      callback_url: `${platform.url}/addons/${uuid}`,
      oauth_grant: platform.admit(uuid),
      options: {},
      ...(facts.wantsLogs ? { log_drain_token: `d.${uuid}` } : {}),
      ...options.adds,
    };
    made.sending(uuid);
    const exchange = await this.call('POST', facts.baseUrl, body, options).catch((error: unknown) => {
      made.answered(uuid, null);
      throw error;
    });
    made.answered(uuid, exchange.reply);
    return exchange;
  }

  /** The same, repeated while the provider is busy, as a platform does. */
  async provisionPatiently(uuid: string, options: CallOptions = {}): Promise<Exchange> {
    for (let tries = 1; ; tries++) {
      const exchange = await this.provision(uuid, options);
      const { reply } = exchange;
      if (!isBusy(reply) || tries === BUSY_TRIES_MAX) return exchange;
      const asked = reply.retryAfterSeconds === null ? BUSY_WAIT_MS : reply.retryAfterSeconds * 1_000;
      await wait(Math.min(asked, BUSY_WAIT_MAX_MS), undefined, { signal: this.signal });
    }
  }

  /** A resource that is ready for what comes next; a provider that cannot make one breaks the rule. */
  async make(uuid: string = randomUUID()): Promise<ReadyResource> {
    const exchange = await this.provisionPatiently(uuid);
    const id = idIn(exchange.reply);
    if (!isSuccess(exchange.reply) || id === null)
      throw new Violation(
        `A provision that this rule needs ended with ${outcomeOf(exchange.reply)}${isSuccess(exchange.reply) ? ' and no id' : ''}.`,
        [exchange],
      );
    return { uuid, id, exchange, config: await this.settle(uuid, exchange) };
  }

  /** Waits for the end of an asynchronous provision, and gives the config vars, whichever way they came. */
  async settle(uuid: string, exchange: Exchange): Promise<unknown> {
    const { platform, asyncTimeoutMs, canCallBack } = this.session;
    const { reply } = exchange;
    if (reply.kind !== 'answered' || reply.status !== 202) return configIn(reply);
    if (!canCallBack)
      throw new NotApplicable(
        'The provider answers 202 and is on another machine, from where it cannot reach the platform of this test.',
      );
    const addon = platform.addon(uuid);
    if (await platform.until(() => addon.finishes > 0, asyncTimeoutMs, this.signal))
      return Object.keys(addon.config).length === 0 ? undefined : { ...addon.config };
    throw new Violation(
      [
        `The provider answered 202 and did not call POST ${platform.url}/addons/${uuid}/actions/provision within ${asyncTimeoutMs / 1000} s.`,
        addon.tokens === 0
          ? `The grant was never exchanged at ${platform.url}/oauth/token.`
          : 'The grant was exchanged.',
        ...addon.refusals.slice(0, 3).map((refusal) => `Refused: ${refusal}.`),
      ].join(' '),
      [exchange],
    );
  }

  /** The first provision of the run, which several rules judge. */
  async sample(): Promise<Exchange> {
    const { session } = this;
    session.sample ??= this.provisionPatiently(session.sampleUuid);
    try {
      return await session.sample;
    } catch (error) {
      session.sample = null;
      throw error;
    }
  }

  /** The config vars of that one. */
  async sampleConfig(): Promise<unknown> {
    return this.settle(this.session.sampleUuid, await this.sample());
  }

  changePlan(id: string, plan: string, options: CallOptions = {}): Promise<Exchange> {
    return this.call('PUT', this.addressOf(id), { plan }, options);
  }

  /** One run of an action, as it comes. */
  runAction(id: string, name: string, run: string, options: CallOptions = {}): Promise<Exchange> {
    const url = `${this.addressOf(id)}/actions/${encodeURIComponent(name)}`;
    return this.call('POST', url, { id: run, params: {} }, options);
  }

  /** The same, asked for again while it is not finished, as a platform does. */
  async runActionPatiently(id: string, name: string, run: string): Promise<Exchange> {
    for (let tries = 1; ; tries++) {
      const exchange = await this.runAction(id, name, run);
      const { reply } = exchange;
      const isAccepted = reply.kind === 'answered' && reply.status === 202;
      if ((!isAccepted && !isBusy(reply)) || tries === BUSY_TRIES_MAX) return exchange;
      await wait(BUSY_WAIT_MS, undefined, { signal: this.signal });
    }
  }

  async deprovision(uuid: string, id: string, options: CallOptions = {}): Promise<Exchange> {
    const { made } = this.session;
    const moment = made.momentOf(uuid);
    const exchange = await this.call('DELETE', this.addressOf(id), null, options);
    made.deleted(uuid, id, exchange.reply, moment);
    return exchange;
  }

  /** A sign-on as the customer's browser sends it. */
  signOn(url: string, form: Record<string, string>): Promise<Exchange> {
    return this.deliver(
      {
        method: 'POST',
        url,
        headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      },
      {},
    );
  }

  /** Two lines in one frame, as Logplex sends them; credentials in the address go into a header. */
  drain(drain: URL, frame: string, at: Date): Promise<Exchange> {
    const { username, password } = drain;
    const url = new URL(drain);
    [url.username, url.password] = ['', ''];
    const basic = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return this.deliver(
      {
        method: 'POST',
        url: url.href,
        headers: {
          'content-type': 'application/logplex-1',
          'logplex-msg-count': '2',
          'logplex-frame-id': frame,
          'logplex-drain-token': 'd.souk-provider-test',
          ...(basic === ':' ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
        },
        body: [line('Grüße', at), line('sample#load=0.5', at)].map(framed).join(''),
      },
      {},
    );
  }

  private addressOf(id: string): string {
    return `${this.facts.baseUrl}/${encodeURIComponent(id)}`;
  }

  private call(
    method: SentRequest['method'],
    url: string,
    body: unknown,
    { credentials, accept, delivery = {} }: CallOptions,
  ): Promise<Exchange> {
    const { slug, password } = this.facts;
    const by = credentials === undefined ? { user: slug, password } : credentials;
    const authorization =
      by === null ? null : `Basic ${Buffer.from(`${by.user}:${by.password}`).toString('base64')}`;
    return this.deliver(
      {
        method,
        url,
        headers: {
          accept: accept ?? this.session.accept,
          'content-type': 'application/json',
          ...(authorization === null ? {} : { authorization }),
        },
        body: body === null ? null : JSON.stringify(body),
      },
      delivery,
    );
  }

  private async deliver(request: SentRequest, delivery: Partial<Delivery>): Promise<Exchange> {
    const { mask, onExchange, callTimeoutMs } = this.session;
    const exchange = await callProvider(
      { ...request, headers: { ...request.headers, 'user-agent': 'souk-provider-test' } },
      { signal: this.signal, timeoutMs: callTimeoutMs, ...delivery },
    );
    const config = configIn(exchange.reply);
    if (typeof config === 'object' && config !== null) mask.hide(...(Object.values(config) as unknown[]));
    onExchange?.(exchange);
    return exchange;
  }
}

/** One message: RFC 5424 without structured data, which Logplex leaves out. */
function line(text: string, at: Date): string {
  return `<190>1 ${at.toISOString().replace('Z', '+00:00')} host app web.1 - ${text}\n`;
}

/** Lengths count bytes, not characters. */
function framed(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}
