import type { CrashPoints } from './crash-points.js';
import type { Database, Session } from './database.js';
import { answers } from './errors.js';
import type { PendingWorkStore } from './pending-work.js';
import type { PlatformLinks } from './platform-links.js';
import type { Engine, EngineExtras, ListedResource, ProvisionRequest, Resource } from './resource.js';
import type { ResourceLock } from './resource-lock.js';
import type { ResourceStore } from './resource-store.js';

/** So many a round; the rest comes with the next. */
const DELETES_MAX = 100;

/** The answer to a provision. */
export interface Provisioned {
  id: string;
  /** Missing where the resource is still being made: the answer is 202 then, and config follows by itself. */
  config?: Record<string, string>;
  message: string;
  log_drain_url?: string;
}

/** Keeps the way back to the platform, and promises work that ends after the answer. */
export interface PlatformParts {
  links: PlatformLinks;
  work: PendingWorkStore;
  /** Promised work is given up after this; shorter than the platform's own patience, which is 12 hours. */
  deadlineMs: number;
  /** Called when there is a grant to exchange or work to do. */
  wake: () => void;
}

export interface ResourcesParts {
  database: Database;
  store: ResourceStore;
  lock: ResourceLock;
  engine: Engine & EngineExtras;
  crash: CrashPoints;
  /** None: the platform is never called about a resource, and every provision is answered when it is done. */
  platform?: PlatformParts;
  /** Called after a plan was changed. */
  planChanged?: (uuid: string) => void;
}

/** What a platform can ask of a provider. Every call may be repeated, and may follow a crash of the one before. */
export class Resources {
  constructor(private readonly parts: ResourcesParts) {}

  /** The same uuid gives the same resource, however often it is asked for. */
  async provision(request: ProvisionRequest): Promise<Provisioned> {
    const { store, lock, engine, crash } = this.parts;
    this.requirePlan(request.plan);
    const answer = await lock.hold(request.uuid, async (session) => {
      const known = await store.find(session, request.uuid);
      if (known.state === 'deleted' || known.state === 'deleting') throw answers.resourceGone();
      // A repeat brings a fresh grant.
      if (known.state !== 'unknown') await this.keepLink(session, request);
      if (known.state !== 'unknown' && (await this.isPromised(session, known))) return this.promise(known);
      if (known.state === 'ready') return this.present(known);
      crash.reach('provision.before-intent');
      const resource = known.state === 'creating' ? known : await this.intend(session, request);
      crash.reach('provision.after-intent');
      if (await this.isPromised(session, resource)) return this.promise(resource);
      await engine.create(resource);
      crash.reach('provision.before-ready');
      await store.move(session, resource.uuid, 'creating', 'ready');
      crash.reach('provision.after-ready');
      return this.present(resource);
    });
    // Behind the lock, which the promised work takes for itself.
    if (request.platform.grant !== null) this.parts.platform?.wake();
    return answer;
  }

  /** The plan it already has is no change. Refused with 422 where the resource does not fit. */
  async changePlan(uuid: string, plan: string): Promise<{ message: string }> {
    const { store, lock, engine, crash } = this.parts;
    return lock.hold(uuid, async (session) => {
      const known = await store.find(session, uuid);
      if (known.state === 'unknown') throw answers.resourceNotFound();
      if (known.state === 'deleted' || known.state === 'deleting') throw answers.resourceGone();
      this.requirePlan(plan);
      if (known.state === 'creating') throw answers.notReady();
      if (known.plan !== plan) {
        await engine.resize(known, plan);
        crash.reach('change-plan.before-commit');
        await store.setPlan(session, uuid, plan);
        crash.reach('change-plan.after-commit');
        this.parts.planChanged?.(uuid);
      }
      return { message: engine.describe(plan) };
    });
  }

  /** 404 for a uuid never seen, which is buried all the same: its provision may still be on its way. */
  async deprovision(uuid: string): Promise<void> {
    const { store, lock } = this.parts;
    await lock.hold(uuid, async (session) => {
      const known = await store.find(session, uuid);
      if (known.state === 'deleted') throw answers.resourceGone();
      if (known.state === 'unknown') {
        await store.bury(session, uuid);
        throw answers.resourceNotFound();
      }
      await this.remove(session, known);
    });
  }

  async inventory(after: string, max: number): Promise<{ resources: ListedResource[]; next: string | null }> {
    return this.parts.store.page(this.parts.database, after, max);
  }

  /** Finishes the deletes that a crash left half done; one that fails does not hold up the others. */
  async finishDeletes(): Promise<void> {
    const { database, store } = this.parts;
    const failures: unknown[] = [];
    for (const uuid of await store.listDeleting(database, DELETES_MAX)) {
      await this.finishDelete(uuid).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} deletes could not be finished`);
  }

  private async finishDelete(uuid: string): Promise<void> {
    const { store, lock } = this.parts;
    await lock.hold(uuid, async (session) => {
      const known = await store.find(session, uuid);
      if (known.state === 'deleting') await this.remove(session, known);
    });
  }

  private async remove(session: Session, resource: Resource): Promise<void> {
    const { store, engine, crash } = this.parts;
    crash.reach('deprovision.before-intent');
    if (resource.state !== 'deleting') await store.move(session, resource.uuid, resource.state, 'deleting');
    crash.reach('deprovision.after-intent');
    await engine.destroy(resource);
    crash.reach('deprovision.before-deleted');
    await session.transaction(async (tx) => {
      await store.finishDelete(tx, resource.uuid);
      await this.forgetLink(tx, resource.uuid);
    });
    crash.reach('deprovision.after-deleted');
  }

  /** A refusal leaves no row behind, so the uuid is as unknown as before. */
  private async intend(session: Session, request: ProvisionRequest): Promise<Resource> {
    const { store, engine } = this.parts;
    return session.transaction(async (tx) => {
      await engine.admit?.(tx, request);
      await this.keepLink(tx, request);
      // Without a grant there is no way to report the end: such a request is answered when it is done.
      if (engine.asynchronous === true && request.platform.grant !== null)
        await this.parts.platform?.work.add(tx, request.uuid, this.parts.platform.deadlineMs);
      return store.insert(tx, request, engine.draft(request));
    });
  }

  private async keepLink(db: Session, { uuid, platform }: ProvisionRequest): Promise<void> {
    if (Object.values(platform).every((fact) => fact === null)) return;
    await this.parts.platform?.links.keep(db, uuid, platform);
    if (platform.grant !== null) await this.parts.platform?.work.hasten(db, uuid);
  }

  /** A failure that is to be reported still needs its link; its end takes the link away. */
  private async forgetLink(tx: Session, uuid: string): Promise<void> {
    const { platform } = this.parts;
    const pending = await platform?.work.find(tx, uuid);
    if (pending?.stage === 'undo' || pending?.stage === 'report-failure') return;
    await platform?.work.remove(tx, uuid);
    await platform?.links.remove(tx, uuid);
  }

  private async isPromised(session: Session, { uuid }: Resource): Promise<boolean> {
    const { platform } = this.parts;
    return platform !== undefined && (await platform.work.find(session, uuid)) !== null;
  }

  private promise(resource: Resource): Provisioned {
    return { id: resource.uuid, message: 'The resource is being made.', ...this.drainOf(resource) };
  }

  private drainOf(resource: Resource): { log_drain_url?: string } {
    const url = this.parts.engine.logDrainUrl?.(resource);
    return url === undefined ? {} : { log_drain_url: url };
  }

  private requirePlan(plan: string): void {
    const { plans } = this.parts.engine;
    if (!plans.includes(plan)) throw answers.planUnknown(plan, plans);
  }

  private present(resource: Resource): Provisioned {
    const { engine } = this.parts;
    return {
      id: resource.uuid,
      config: engine.credentials(resource),
      message: engine.describe(resource.plan),
      ...this.drainOf(resource),
    };
  }
}
