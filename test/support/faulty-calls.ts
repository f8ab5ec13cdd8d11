import assert from 'node:assert/strict';
import type { OperationId } from '../../src/kernel/ids.js';
import { OperationRunner } from '../../src/provisioning/operation.runner.js';
import { StuckOperations } from '../../src/provisioning/reconcilers/stuck-operations.js';
import { ok } from './api.js';
import { assertNothingLeftOver, OneCrash } from './call-back-world.js';
import type { Call } from './fake-provider.js';
import type { CallKind, Case } from './fault-matrix.js';
import type { AddonBody, AppBody, ReleaseBody } from './resources.js';
import { World } from './world.js';

const NEW_CONFIG = { config: { PG_URL: 'postgres://moved' } };
const ROUNDS_MAX = 60;
const MINUTE_MS = 60_000;
/** What was asked for, never answered, and given up then. */
const GIVE_UP_MS = 16 * MINUTE_MS;

/** Takes add-ons through the cases of the fault matrix. Its test is the only worker there is, so that nothing waits. */
export class FaultyCalls {
  private app: AppBody | null = null;

  private constructor(
    readonly world: World,
    private readonly deaths: OneCrash,
  ) {}

  static async start(): Promise<FaultyCalls> {
    const deaths = new OneCrash();
    const world = await World.start({
      role: 'api',
      crashPoints: deaths,
      waits: { providerTimeoutMs: 120, leaseMs: 2_000, settleMs: 0 },
    });
    world.clock.freeze();
    return new FaultyCalls(world, deaths);
  }

  stop(): Promise<void> {
    return this.world.stop();
  }

  async run({ call, fault, beside }: Case): Promise<void> {
    const { world, deaths } = this;
    this.reset();
    this.app = await world.newApp();
    const addon = await this.prepare(call);
    if (beside.kind === 'death') deaths.at(beside.point);
    const away = fault.script === null ? await world.provider.away() : null;
    let deleted = call === 'deprovision';
    const does = async ({ id }: Call) => {
      if (beside.kind !== 'delete' || deleted) return;
      deleted = true;
      ok(await this.delete(id));
    };
    if (fault.script !== null) this.script(call, { ...this.scriptFor(call, fault.script), does });
    this.answerWellFromThen(call);
    await this.drain(beside.kind === 'twice' ? 2 : 1);
    await away?.back();
    // A refused connection never reaches the provider, so its user asks after the call.
    if (away !== null && beside.kind === 'delete') {
      deleted = true;
      ok(await this.delete(addon.id));
    }
    await this.settle();
    assert.equal(deaths.isDue, false, 'the point was passed');
    await this.assertEnd(addon, { call, fault, beside }, deleted);
  }

  private reset(): void {
    const { provider } = this.world;
    provider.onProvision(null);
    provider.onDeprovision(null);
    provider.onPlanChange(null);
  }

  /** Up to where the call is due next. */
  private async prepare(call: CallKind): Promise<AddonBody> {
    const { world } = this;
    const path = `/apps/${this.appName}/addons`;
    if (call === 'clean') world.provider.onProvision({ status: 500, works: true, body: '' });
    const addon = ok(await world.api.post<AddonBody>(path, { plan: 'pg:mini' }));
    if (call === 'provision') return addon;
    await this.drain(1);
    // Which operation is the newest is told by time.
    world.clock.advance(1);
    if (call === 'clean') {
      world.clock.advance(GIVE_UP_MS);
      await this.reopen();
    } else if (call === 'deprovision') ok(await this.delete(addon.id));
    else {
      if (call === 'revert') {
        world.provider.onPlanChange({ status: 503, works: true, body: '' });
        world.provider.onPlanChange({ status: 422, body: { message: 'Busy.' } });
      }
      ok(await world.api.patch(`${path}/${addon.id}`, { plan: 'pg:std' }));
      if (call === 'revert') {
        await this.drain(1);
        await this.moveToNext();
        await this.drain(1);
        assert.equal((await world.statesOf(addon.id)).operation, 'reverting');
        await this.moveToNext();
      }
    }
    return addon;
  }

  private get appName(): string {
    assert.ok(this.app !== null);
    return this.app.name;
  }

  private delete(id: string) {
    this.world.clock.advance(1);
    return this.world.api.delete(`/apps/${this.appName}/addons/${id}`);
  }

  private script(call: CallKind, script: Parameters<World['provider']['onProvision']>[0]): void {
    const { provider } = this.world;
    if (call === 'provision') provider.onProvision(script);
    else if (call === 'plan_change' || call === 'revert') provider.onPlanChange(script);
    else provider.onDeprovision(script);
  }

  /** That nothing is there any more is no lie only of one that deleted it. */
  private scriptFor(call: CallKind, script: NonNullable<Case['fault']['script']>) {
    const isDelete = call === 'clean' || call === 'deprovision';
    return isDelete && [404, 410].includes(script.status ?? 0) ? { ...script, works: true } : script;
  }

  /** Whoever is asked again for another plan says the new credentials again. */
  private answerWellFromThen(call: CallKind): void {
    if (call === 'plan_change')
      this.world.provider.onPlanChange({ works: true, status: 200, body: NEW_CONFIG }, true);
  }

  /** Works on all jobs, `workers` at once on each. A worker that dies leaves everything as it is. */
  private async drain(workers: number): Promise<void> {
    const { world } = this;
    const runner = world.broker.app.get(OperationRunner);
    const jobs = await world.database.query<{ payload: { operationId: OperationId } }>(
      "DELETE FROM outbox WHERE job = 'operation.advance' RETURNING payload",
    );
    for (const { payload } of jobs)
      await Promise.all(
        Array.from({ length: workers }, () => runner.advance(payload.operationId).catch(assertDeath)),
      );
  }

  /** To the moment of the next look, whatever it is for. */
  private async moveToNext(): Promise<void> {
    const { world } = this;
    const [next] = await world.database.query<{ at: Date | null }>(
      'SELECT min(greatest(next_attempt_at, nudged_until)) AS at FROM operations WHERE finished_at IS NULL',
    );
    const ahead = (next?.at?.getTime() ?? 0) - world.clock.now().getTime();
    world.clock.advance(Math.max(ahead, 0) + 1);
    await this.reopen();
  }

  private async reopen(): Promise<void> {
    await this.world.broker.app.get(StuckOperations).run();
  }

  private async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      await this.drain(1);
      const open = await this.world.database.query('SELECT 1 FROM operations WHERE finished_at IS NULL');
      if (open.length === 0) return;
      await this.moveToNext();
    }
    throw new Error(
      `still open: ${JSON.stringify(await this.world.database.query('SELECT * FROM operations WHERE finished_at IS NULL'))}`,
    );
  }

  private async assertEnd(
    addon: AddonBody,
    { call, fault, beside }: Omit<Case, 'name'>,
    deleted: boolean,
  ): Promise<void> {
    const { world } = this;
    await assertNothingLeftOver(world);
    const findings = await world.database.query(
      'SELECT kind, detail FROM findings WHERE resolved_at IS NULL AND addon_id = $1',
      [addon.id],
    );
    assert.deepEqual(findings, []);
    const doubled = await world.database.query(
      `SELECT action FROM audit_events WHERE subject_id = $1
         AND action IN ('addon.provisioned', 'addon.deprovisioned', 'addon.plan_changed', 'addon.plan_change_failed')
       GROUP BY action HAVING count(*) > 1`,
      [addon.id],
    );
    assert.deepEqual(doubled, [], 'what was written down twice');
    const ends = await world.statesOf(addon.id);
    const vars = ok(await world.api.get<Record<string, string>>(`/apps/${this.appName}/config-vars`));
    const releases = ok(await world.api.get<ReleaseBody[]>(`/apps/${this.appName}/releases`)).length;
    if (deleted || call === 'clean' || ends.failed) {
      assert.equal(ends.addon, 'deprovisioned');
      assert.deepEqual(vars, {});
      assert.equal(world.provider.planOf(addon.id), undefined);
    }
    if (call === 'clean') assert.equal(releases, 1, 'nothing came, and nothing went');
    if (deleted || call === 'clean') return;
    // An answer that died with its reader is as none: what is asked next is answered well.
    const unread = beside.kind === 'death' && /\.(after_call|record\.before_commit)$/.test(beside.point);
    if (call === 'provision') {
      const fails = fault.meaning === 'later' ? !unread : isRefusal(fault.meaning) && !unread;
      assert.deepEqual(ends, {
        addon: fails ? 'deprovisioned' : 'provisioned',
        operation: fails ? 'failed' : 'succeeded',
        failed: fails,
      });
      assert.equal(releases, fails ? 1 : 2);
      return;
    }
    assert.equal(ends.addon, 'provisioned');
    const changes = call === 'plan_change' && (unread || !isRefusal(fault.meaning));
    assert.equal(ends.operation, changes ? 'succeeded' : 'failed');
    assert.equal(world.provider.planOf(addon.id), changes ? 'std' : 'mini');
    const [row] = await world.database.query<{ slug: string }>(
      'SELECT slug FROM addons a JOIN plans p ON p.id = a.plan_id WHERE a.id = $1',
      [addon.id],
    );
    assert.equal(row?.slug, changes ? 'std' : 'mini');
    assert.equal(releases, vars.DATABASE_URL === NEW_CONFIG.config.PG_URL ? 3 : 2);
    if (changes && fault.meaning === 'again') assert.equal(releases, 3, 'the new credentials were asked for');
  }
}

function isRefusal(meaning: Case['fault']['meaning']): boolean {
  return meaning === 'no' || meaning === 'gone';
}

function assertDeath(error: unknown): void {
  if (!(error instanceof Error) || !error.message.startsWith('died at ')) throw error;
}
