import { randomUUID } from 'node:crypto';
import { plusMs, Clock } from '../kernel/clock.js';
import { hasStatus, isBusy, isObject, isSuccess, outcomeOf, type Exchange, type Reply } from './exchange.js';
import { configIn, idIn } from './judge-provision.js';
import type { PlatformAddon } from './local-platform.js';
import type { MovableClock } from './movable-clock.js';
import { removeMade } from './remove-made.js';
import { newSession, type SessionOptions } from './session.js';
import { ssoForm } from './sso-form.js';
import { Trial, type TestSession } from './trial.js';
import type { Leftover } from './verdict.js';

/** The contract's end of asynchronous work: after it the platform gives up, or takes the resource for gone. */
const ASYNC_DEADLINE_MS = 12 * 3_600_000;
const CLEAN_UP_MS = 60_000;
const LOG_ENTRIES_MAX = 1_000;
const PREFIX_LENGTH_MIN = 4;
const USER = { id: '00000000-0000-4000-8000-0000000005e2', email: 'developer@example.com' };

export type ServedState = 'provisioning' | 'provisioned' | 'deprovisioning' | 'deprovisioned';

/** A resource as the platform sees it. */
export interface ServedResource {
  uuid: string;
  /** The provider's id; null until it said one. */
  id: string | null;
  plan: string;
  state: ServedState;
  /** Their names; the values are the customer's. */
  config_vars: string[];
  /** How often the provider got tokens, for its grant or by refreshing. */
  tokens: number;
  /** Why the state is as it is, where that is not plain. */
  reason: string | null;
  /** What call-backs were refused for. */
  refusals: string[];
}

/** One request with its answer, secrets masked. */
export interface LogEntry {
  /** The platform's time. */
  at: string;
  from: 'platform' | 'provider';
  sent: string;
  received: string;
}

/** What was asked for cannot be done; the message is for whoever asked. */
export class ServeRefusal extends Error {
  constructor(
    readonly status: 404 | 409 | 422,
    message: string,
  ) {
    super(message);
    this.name = 'ServeRefusal';
  }
}

export interface ProvisionWish {
  plan?: string | undefined;
  options?: Record<string, unknown> | undefined;
}

interface Entry {
  uuid: string;
  id: string | null;
  addon: PlatformAddon;
  /** When asynchronous work must be over; null: none is under way. */
  deadline: Date | null;
  deleting: boolean;
  options: Record<string, unknown>;
  reason: string | null;
}

export interface ServeOptions extends Omit<SessionOptions, 'clock' | 'manifestProblems' | 'asyncTimeoutMs'> {
  clock: MovableClock;
  /** Told of each request and its answer. */
  onEntry: (entry: LogEntry) => void;
}

/** A platform for one provider, for as long as its author wants: customers' wishes are methods, and its time can be moved. */
export class ServedPlatform {
  readonly log: LogEntry[] = [];
  private readonly entries = new Map<string, Entry>();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly session: TestSession;
  private readonly trial: Trial;
  private readonly ending = new AbortController();

  constructor(private readonly options: ServeOptions) {
    this.session = newSession({ ...options, manifestProblems: [], asyncTimeoutMs: 0 });
    this.trial = new Trial(this.session, this.ending.signal);
    this.session.onExchange = (exchange) => this.noteCall(exchange);
    this.session.platform.onCallBack = ({ sent, answered }) => {
      this.note('provider', sent, answered);
      this.endReported();
    };
  }

  /** `port` 0: any free one. */
  start(port: number): Promise<void> {
    return this.session.platform.start(port);
  }

  /** Takes away what was made, and tells what could not be. */
  async stop(): Promise<Leftover[]> {
    this.ending.abort(new ServeRefusal(409, 'The platform is stopping.'));
    // What they were about is known, or known to be open, only when they have ended.
    await Promise.allSettled(this.busy.values());
    const leftovers = await removeMade(new Trial(this.session, AbortSignal.timeout(CLEAN_UP_MS)));
    await this.session.platform.stop();
    return leftovers;
  }

  get url(): string {
    return this.session.platform.url;
  }

  now(): Date {
    return this.options.clock.now();
  }

  list(): ServedResource[] {
    return [...this.entries.values()].map((entry) => this.present(entry));
  }

  get(identity: string): ServedResource {
    return this.present(this.find(identity));
  }

  /** A new resource. The provider decides whether there is such a plan. */
  provision({ plan, options = {} }: ProvisionWish): Promise<ServedResource> {
    const uuid = randomUUID();
    const [usual = ''] = this.session.facts.plans;
    this.session.platform.admit(uuid, plan ?? usual);
    const addon = this.session.platform.addon(uuid);
    const entry = { uuid, id: null, addon, deadline: null, deleting: false, options, reason: null };
    this.entries.set(uuid, entry);
    return this.alone(entry, () => this.create(entry));
  }

  /** The same provision again, as a platform does that is in doubt; with a fresh grant. */
  repeat(identity: string): Promise<ServedResource> {
    const entry = this.find(identity);
    return this.alone(entry, () => this.create(entry));
  }

  changePlan(identity: string, plan: string): Promise<ServedResource> {
    const entry = this.find(identity);
    const { id } = entry;
    if (stateOf(entry) !== 'provisioned' || id === null)
      throw new ServeRefusal(
        422,
        `The resource is ${stateOf(entry)}; only a provisioned one changes its plan.`,
      );
    return this.alone(entry, async () => {
      const { reply } = await this.trial.changePlan(id, plan);
      entry.reason = isSuccess(reply) ? null : `The plan change ended with ${outcomeOf(reply)}.`;
      if (!isSuccess(reply)) return;
      entry.addon.plan = plan;
      keepConfig(entry.addon, reply);
    });
  }

  deprovision(identity: string): Promise<ServedResource> {
    const entry = this.find(identity);
    return this.alone(entry, () => this.remove(entry));
  }

  /** Moves the platform's time, and does what has become due by that. */
  async advance(ms: number): Promise<Date> {
    this.options.clock.advance(ms);
    for (const entry of this.entries.values()) {
      if (entry.deadline === null || entry.deadline > this.now() || this.busy.has(entry.uuid)) continue;
      if (entry.deleting) end(entry, 'The provider did not report within 12 h that it is gone.');
      else if (stateOf(entry) === 'provisioning')
        await this.alone(entry, () => this.remove(entry, 'It was not done within 12 h.'));
    }
    return this.now();
  }

  /** What a customer's browser posts to the provider, good for a sign-on now. */
  signOn(identity: string): { url: string; fields: Record<string, string> } {
    const { uuid, id } = this.find(identity);
    const { ssoUrl, ssoSalt, slug } = this.session.facts;
    if (ssoUrl === null || ssoSalt === null)
      throw new ServeRefusal(422, 'The manifest has no sso_url or no sso_salt: there is no way to sign on.');
    const fields = ssoForm({
      uuid,
      id: id ?? uuid,
      salt: ssoSalt,
      service: { slug, name: slug },
      user: USER,
      app: 'conformance-app',
      // The provider compares it with a clock that nobody moved.
      at: new Clock().now(),
    });
    return { url: ssoUrl, fields };
  }

  private async create(entry: Entry): Promise<void> {
    const { uuid, addon, options } = entry;
    if (addon.gone) throw new ServeRefusal(422, 'The resource is gone; provision another.');
    const wasReady = addon.state === 'provisioned';
    const { reply } = await this.trial.provisionPatiently(uuid, { adds: { plan: addon.plan, options } });
    // Whatever else fails leaves it open whether there is a resource: a repeat tells.
    const isRefusal =
      reply.kind === 'answered' && reply.status >= 400 && reply.status < 500 && !isBusy(reply);
    if (isSuccess(reply)) entry.id = idIn(reply) ?? entry.id;
    entry.reason = isSuccess(reply) ? null : `The provision ended with ${outcomeOf(reply)}.`;
    if (wasReady) return;
    if (hasStatus(reply, 202)) {
      entry.deadline = plusMs(this.now(), ASYNC_DEADLINE_MS);
    } else if (isSuccess(reply) && entry.id !== null) {
      keepConfig(addon, reply);
      addon.state = 'provisioned';
    } else if (isSuccess(reply)) {
      entry.reason = 'The provision was answered without an id; repeat it.';
    } else if (isRefusal) {
      end(entry, entry.reason);
    }
  }

  private async remove(entry: Entry, why: string | null = null): Promise<void> {
    const { reply } = await this.trial.deprovision(entry.uuid, entry.id ?? entry.uuid);
    if (hasStatus(reply, 202)) {
      entry.deleting = true;
      entry.deadline = plusMs(this.now(), ASYNC_DEADLINE_MS);
      entry.reason = why;
    } else if (isSuccess(reply) || hasStatus(reply, 404, 410)) end(entry, why);
    else entry.reason = `The deprovision ended with ${outcomeOf(reply)}.`;
  }

  /** One operation at a time for each resource, as at any platform. */
  private async alone(entry: Entry, work: () => Promise<void>): Promise<ServedResource> {
    if (this.busy.has(entry.uuid))
      throw new ServeRefusal(409, 'An operation on this resource is still running.');
    const done = work();
    this.busy.set(entry.uuid, done);
    try {
      await done;
    } finally {
      this.busy.delete(entry.uuid);
    }
    return this.present(entry);
  }

  /** By its uuid, the provider's id, or the beginning of the uuid where that names one alone. */
  private find(identity: string): Entry {
    const all = [...this.entries.values()];
    const exact = all.find(({ uuid, id }) => uuid === identity || id === identity);
    if (exact !== undefined) return exact;
    const close =
      identity.length < PREFIX_LENGTH_MIN ? [] : all.filter(({ uuid }) => uuid.startsWith(identity));
    const [found] = close;
    if (found === undefined || close.length > 1)
      throw new ServeRefusal(404, `There is no resource ${this.session.mask.show(identity)}.`);
    return found;
  }

  /** A provider that reports `deprovision` is done with it, whether a customer asked for that or its making failed. */
  private endReported(): void {
    for (const entry of this.entries.values())
      if (entry.addon.state === 'deprovisioned' && !entry.addon.gone)
        end(entry, entry.deleting ? entry.reason : 'The provider reported that it is not to be had.');
  }

  private present(entry: Entry): ServedResource {
    const { uuid, id, addon, reason } = entry;
    return {
      uuid,
      id,
      plan: addon.plan,
      state: stateOf(entry),
      // The provider's words: they may hold whatever a terminal obeys.
      config_vars: Object.keys(addon.config)
        .sort()
        .map((name) => this.session.mask.show(name)),
      tokens: addon.tokens,
      reason,
      refusals: [...addon.refusals],
    };
  }

  private noteCall(exchange: Exchange): void {
    const { sent, received } = this.session.mask.showExchange(exchange);
    this.note('platform', sent, received);
  }

  private note(from: LogEntry['from'], sent: string, received: string): void {
    const entry = { at: this.now().toISOString(), from, sent, received };
    this.log.push(entry);
    if (this.log.length > LOG_ENTRIES_MAX) this.log.shift();
    this.options.onEntry(entry);
  }
}

function keepConfig(addon: PlatformAddon, reply: Reply): void {
  const config = configIn(reply);
  if (isObject(config)) Object.assign(addon.config, config);
}

/** Nothing of it is left: its tokens open nothing more. */
function end(entry: Entry, why: string | null): void {
  entry.addon.state = 'deprovisioned';
  entry.addon.gone = true;
  entry.addon.config = {};
  entry.deadline = null;
  entry.deleting = false;
  entry.reason = why;
}

function stateOf({ addon, deleting }: Entry): ServedState {
  return deleting ? 'deprovisioning' : addon.state;
}
