import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { CrashPoints } from '../../src/kernel/crash-points.js';
import { Database } from '../../src/kernel/db/database.js';
import { ok, type Answer } from './api.js';
import { assertNothingLeftOver } from './call-back-world.js';
import { exchange, grantOf, Partner } from './partner-client.js';
import { FAULTS, type Fault, type PlanSlug, type Step } from './random-steps.js';
import type { AddonBody, AppBody, AttachmentBody } from './resources.js';
import { until } from './until.js';
import { World } from './world.js';

/** Dies once where it is told to, and counts the calls that are under way. */
class Deaths extends CrashPoints {
  next: string | null = null;
  underWay = 0;

  override reach(point: string): void {
    const dies = point === this.next;
    if (point.endsWith('.before_call') && !dies) this.underWay += 1;
    if (point.endsWith('.after_call') || (dies && point.startsWith('provision.grant.'))) this.underWay -= 1;
    if (!dies) return;
    this.next = null;
    throw new Error(`died at ${point}`);
  }
}

/** What is certain about an add-on, from the answers that users got. */
interface ModelAddon {
  id: string;
  app: AppBody;
  /** Its creation was confirmed to its user. */
  confirmed: boolean;
  deleted: boolean;
  /** The plans that it may have. */
  plans: Set<string>;
}

interface ModelApp {
  app: AppBody;
  config: Record<string, string>;
  /** Creations whose answer was lost: there may be as many more add-ons than the user knows of. */
  unanswered: number;
}

/** One broker, its queue and its provider, for one sequence of steps after the other. */
export class RandomLives {
  private constructor(
    private readonly world: World,
    private readonly deaths: Deaths,
    private readonly redis: Redis | null,
  ) {}

  static async start(): Promise<RandomLives> {
    const deaths = new Deaths();
    const world = await World.start({
      crashPoints: deaths,
      waits: { providerTimeoutMs: 150, leaseMs: 2_000, settleMs: 300 },
    });
    world.clock.freeze();
    const { redisUrl } = world.config;
    return new RandomLives(world, deaths, redisUrl === null ? null : new Redis(redisUrl.reveal()));
  }

  async stop(): Promise<void> {
    this.redis?.disconnect();
    await this.world.stop();
  }

  /** Throws where anything is not as it must be in the end. */
  async run(steps: [Step, boolean][]): Promise<void> {
    const life = await Life.begin(this.world, this.deaths);
    let before: Promise<void> = Promise.resolve();
    for (const [one, beside] of steps) {
      if (!beside || one.kind === 'clock' || one.kind === 'config') await before;
      const now = one.kind === 'flush' ? this.flush() : life.take(one);
      before = Promise.all([before, now]).then(() => undefined);
      // Whoever fails beside others is heard when the others are awaited.
      before.catch(() => undefined);
    }
    await before;
    await life.settle();
    await life.assertAsItMustBe();
  }

  /** Everything that the queue knew is gone. */
  private async flush(): Promise<void> {
    if (this.redis === null) return;
    const keys: string[] = [];
    let cursor = '0';
    do {
      const [next, found] = await this.redis.scan(cursor, 'MATCH', `*${this.world.config.queuePrefix}*`);
      cursor = next;
      keys.push(...found);
    } while (cursor !== '0');
    if (keys.length > 0) await this.redis.unlink(...keys);
  }
}

/** One sequence, on apps of its own. */
class Life {
  private readonly addons: ModelAddon[] = [];
  private readonly attachments = new Map<string, { addonId: string; app: AppBody }>();
  private lent = 0;
  private readonly partners = new Map<string, Partner>();

  private constructor(
    private readonly world: World,
    private readonly deaths: Deaths,
    private readonly apps: ModelApp[],
  ) {}

  static async begin(world: World, deaths: Deaths): Promise<Life> {
    deaths.next = null;
    const apps = await Promise.all([world.newApp(), world.newApp()]);
    return new Life(
      world,
      deaths,
      apps.map((app) => ({ app, config: {}, unanswered: 0 })),
    );
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'create':
        return this.create(this.app(one.app), one.plan, one.fault);
      case 'config':
        return this.setConfig(this.app(one.app), one.name, one.value);
      case 'clock':
        return this.jump(one.seconds * 1_000);
      case 'death':
        this.deaths.next = one.point;
        return;
      case 'detach':
        return this.detach(one.attachment);
      case 'flush':
        return;
      default: {
        const addon = this.addons[one.addon % Math.max(this.addons.length, 1)];
        if (addon === undefined) return;
        if (one.kind === 'delete') return this.delete(addon, one.fault);
        if (one.kind === 'change') return this.change(addon, one.plan, one.fault);
        if (one.kind === 'attach') return this.attach(addon, this.app(one.app));
        if (one.kind === 'rotate') return this.rotate(addon, one.times);
        return this.report(addon, one.what, one.times);
      }
    }
  }

  /** No fault, no death, and time: whatever was begun comes to its end. */
  async settle(): Promise<void> {
    const { provider } = this.world;
    this.deaths.next = null;
    provider.onProvision(null);
    provider.onDeprovision(null);
    provider.onPlanChange(null);
    for (const addon of this.addons) await this.report(addon, 'provision', 2);
    await until(async () => {
      const open = await this.world.database.query<{ type: string; state: string }>(
        'SELECT type, state FROM operations WHERE finished_at IS NULL',
      );
      if (open.length === 0) return;
      // Who said 202 and never calls back is waited for in vain.
      await this.jump(open.every(({ state }) => state === 'waiting') ? 13 * 3_600_000 : 20_000);
      await this.world.walkRounds();
      throw new Error(`operations are open: ${JSON.stringify(open)}`);
    });
  }

  async assertAsItMustBe(): Promise<void> {
    const { world } = this;
    await assertNothingLeftOver(world);
    assert.deepEqual(
      await world.database.query('SELECT kind, detail FROM findings WHERE resolved_at IS NULL'),
      [],
    );
    assert.deepEqual(
      await world.database.query(
        `SELECT p.addon_id FROM addon_plan_periods p JOIN addons a ON a.id = p.addon_id
         WHERE p.ended_at > a.delete_requested_at OR p.began_at > coalesce(p.ended_at, 'infinity')`,
      ),
      [],
      'charges that go on after a delete, or backwards',
    );
    for (const one of this.addons) await this.assertAddon(one);
    for (const one of this.apps) await this.assertApp(one);
  }

  private async assertAddon({ id, confirmed, deleted, plans }: ModelAddon): Promise<void> {
    const { world } = this;
    const [row] = await world.database.query<{ state: string; failed: boolean; plan: string }>(
      'SELECT a.state, a.failed, p.slug AS plan FROM addons a JOIN plans p ON p.id = a.plan_id WHERE a.id = $1',
      [id],
    );
    assert.ok(row !== undefined);
    if (deleted) assert.equal(row.state, 'deprovisioned', `${id}: a delete that was accepted comes about`);
    else if (confirmed) assert.equal(row.state, 'provisioned', `${id}: what was confirmed stays`);
    else assert.equal(row.failed, row.state === 'deprovisioned', `${id}: nobody deleted it`);
    if (row.state !== 'provisioned') return;
    assert.ok(plans.has(row.plan), `${id} is on ${row.plan}, which nobody asked for last`);
    assert.equal(world.provider.planOf(id), row.plan, `${id}: the plan at the provider`);
  }

  /** Its config is what users set and what attachments of live add-ons export; nothing else. */
  private async assertApp({ app, config, unanswered }: ModelApp): Promise<void> {
    const { world } = this;
    const held = ok(await world.api.get<AttachmentBody[]>(`/apps/${app.name}/addon-attachments`));
    const vars = ok(await world.api.get<Record<string, string>>(`/apps/${app.name}/config-vars`));
    const exported = held.flatMap(({ name }) => [`${name}_URL`, `${name}_POOL_URL`]);
    assert.deepEqual(Object.keys(vars).sort(), [...Object.keys(config), ...exported].sort());
    for (const [name, value] of Object.entries(config)) assert.equal(vars[name], value);
    const live = await world.database.query<{ id: string }>(
      "SELECT id FROM addons WHERE app_id = $1 AND state = 'provisioned'",
      [app.id],
    );
    const known = new Set(this.addons.map(({ id }) => id));
    assert.ok(live.filter(({ id }) => !known.has(id)).length <= unanswered, 'nobody asked for an add-on');
    const lent = [...this.attachments].filter(
      ([, one]) => one.app.id === app.id && !this.isGone(one.addonId),
    );
    const states = await Promise.all(lent.map(([, { addonId }]) => world.statesOf(addonId)));
    const expected = lent.filter((_one, index) => states[index]?.addon === 'provisioned').map(([id]) => id);
    const lentHere = held.map(({ id }) => id).filter((id) => this.attachments.has(id));
    assert.deepEqual(lentHere.sort(), expected.sort(), 'attachments that users made');
    assert.equal(held.length - lentHere.length, live.length, 'each add-on is attached to its own app');
  }

  private isGone(addonId: string): boolean {
    return this.addons.find(({ id }) => id === addonId)?.deleted === true;
  }

  private app(index: number): ModelApp {
    const one = this.apps[index % this.apps.length];
    assert.ok(one !== undefined);
    return one;
  }

  private async create(model: ModelApp, slug: PlanSlug, fault: Fault): Promise<void> {
    this.world.provider.onProvision(FAULTS[fault]);
    const answer = await this.world.api.post<AddonBody>(`/apps/${model.app.name}/addons`, {
      plan: `pg:${slug}`,
    });
    if (isLost(answer)) model.unanswered += 1;
    if (answer.status >= 300) return;
    const { id, state } = answer.body;
    this.addons.push({
      id,
      app: model.app,
      confirmed: state === 'provisioned',
      deleted: false,
      plans: new Set([slug]),
    });
  }

  private async delete(addon: ModelAddon, fault: Fault): Promise<void> {
    // A refusal is no answer to a delete, and is asked again like an error.
    this.world.provider.onDeprovision(FAULTS[fault]);
    const send = () =>
      this.world.api.delete(`/apps/${addon.app.name}/addons/${addon.id}`, { confirm: addon.app.name });
    let answer = await send();
    if (isLost(answer)) answer = await send();
    if (answer.status < 300) addon.deleted = true;
    else assert.equal(answer.status, 404, JSON.stringify(answer.body));
  }

  private async change(addon: ModelAddon, slug: PlanSlug, fault: Fault): Promise<void> {
    this.world.provider.onPlanChange(FAULTS[fault]);
    // A change that is under way beside this one may end in between: what it leads to is possible as well.
    const before = new Set(addon.plans);
    addon.plans.add(slug);
    const answer = await this.world.api.patch<AddonBody>(`/apps/${addon.app.name}/addons/${addon.id}`, {
      plan: `pg:${slug}`,
    });
    if (answer.status >= 300 && !isLost(answer)) {
      if (!before.has(slug) && isInFlight(answer)) addon.plans.delete(slug);
      assert.ok([404, 422].includes(answer.status), `${answer.status}: ${JSON.stringify(answer.body)}`);
    }
  }

  private async attach(addon: ModelAddon, { app }: ModelApp): Promise<void> {
    const answer = await this.world.api.post<AttachmentBody>('/addon-attachments', {
      addon: addon.id,
      app: app.id,
      name: `LENT_${(this.lent += 1)}`,
    });
    assert.ok(answer.status < 500, JSON.stringify(answer.body));
    if (answer.status < 300) this.attachments.set(answer.body.id, { addonId: addon.id, app });
  }

  private async detach(index: number): Promise<void> {
    const ids = [...this.attachments.keys()];
    const id = ids[index % Math.max(ids.length, 1)];
    if (id === undefined) return;
    const answer = await this.world.api.delete(`/addon-attachments/${id}`);
    assert.ok(answer.status < 500, JSON.stringify(answer.body));
    if (answer.status < 300) this.attachments.delete(id);
  }

  private async setConfig(model: ModelApp, name: string, value: string | null): Promise<void> {
    ok(await this.world.api.patch(`/apps/${model.app.name}/config-vars`, { [name]: value }));
    if (value === null) Reflect.deleteProperty(model.config, name);
    else model.config[name] = value;
  }

  /** The provider says what is so: what it made is ready, or what it does not hold is gone. */
  private async report(addon: ModelAddon, what: 'provision' | 'deprovision', times: number): Promise<void> {
    const partner = await this.partnerOf(addon);
    const holds = this.world.provider.planOf(addon.id) !== undefined;
    if (partner === null || holds !== (what === 'provision')) return;
    for (let time = 0; time < times; time += 1) await partner.reports(what);
  }

  private async rotate(addon: ModelAddon, times: number): Promise<void> {
    const partner = await this.partnerOf(addon);
    for (let time = 0; time < times; time += 1)
      await partner?.setConfig([{ name: 'PG_URL', value: `postgres://rotated-${addon.id}` }]);
  }

  /** null: its grant was used or is over, or it was never asked. */
  private async partnerOf(addon: ModelAddon): Promise<Partner | null> {
    const known = this.partners.get(addon.id);
    if (known !== undefined) return known;
    const call = this.world.provider.calls.findLast(
      ({ verb, id }) => verb === 'provision' && id === addon.id,
    );
    if (call === undefined) return null;
    const grant = grantOf(call);
    const tokens = await exchange(this.world, grant.code);
    if (tokens.status !== 200) return null;
    const partner = Partner.withTokens(this.world, addon.id, tokens.body);
    this.partners.set(addon.id, partner);
    return partner;
  }

  /**
   * Moves time when nobody is at a call: no lease is shorter than a call, so the time of one that lives is not taken
   * away. A lease that nobody works under is one of the dead, which two looks tell.
   */
  private async jump(ms: number): Promise<void> {
    let seen: string | null = null;
    await until(async () => {
      await this.world.broker.app.get(Database).source.transaction(async (tx) => {
        const rows: { id: string; attempt: number; lease_until: Date | null }[] = await tx.query(
          'SELECT id, attempt, lease_until FROM operations WHERE finished_at IS NULL ORDER BY id FOR UPDATE',
        );
        const now = this.world.clock.now();
        const leased = rows.filter(({ lease_until }) => lease_until !== null && lease_until > now);
        const look = JSON.stringify(leased.map(({ id, attempt }) => [id, attempt]));
        const isStill = leased.length === 0 || look === seen;
        seen = look;
        if (this.deaths.underWay > 0 || !isStill) throw new Error(`calls are under way: ${look}`);
        this.world.clock.advance(ms);
      });
    });
  }
}

/** The request died with its process, so whoever asked does not know. */
function isLost(answer: Answer): boolean {
  return answer.status >= 500;
}

function isInFlight(answer: Answer): boolean {
  return (answer.body as { id?: string }).id === 'operation_in_flight';
}
