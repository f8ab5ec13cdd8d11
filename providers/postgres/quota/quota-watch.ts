import format from 'pg-format';
import {
  describeError,
  Limiter,
  ProviderError,
  type Database,
  type Logger,
  type NoticeOutbox,
} from '../../kit/index.js';
import type { Resource, ResourceLock, ResourceStore, Session } from '../../kit/index.js';
import { namesOf, type TenantNames } from '../engine/names.js';
import type { Reclaimer } from '../engine/reclaim.js';
import type { WriteStop } from '../engine/write-stop.js';
import type { Plan } from '../plans.js';
import type { Activity } from './activity.js';
import { judgeLevel, type Level } from './judge.js';
import type { LevelStore } from './level-store.js';
import { storageNotice } from './notice-text.js';
import { Pace } from './pace.js';

/** What the cluster itself says of a database, whatever our own tables hold. */
interface Measured {
  database: string;
  bytes: number;
  /** A stop or a lift was cut off: nobody gets in until it is finished. */
  closed: boolean;
  /** The login is no member of the owner's role: writes are stopped. */
  stopped: boolean;
}

export interface QuotaWatchParts {
  database: Database;
  resources: ResourceStore;
  levels: LevelStore;
  lock: ResourceLock;
  outbox: NoticeOutbox;
  writeStop: WriteStop;
  activity: Activity;
  reclaimer: Reclaimer;
  plans: Plan[];
  /** Called when a size may have changed much. */
  wake: () => void;
  log: Logger;
}

const PAGE = 200;
/** Fewer than resources that are worked on at once, so that requests have a place beside them. */
const SETTLES_AT_ONCE = 3;

/** Measures every database, and has its writes stopped or let go on; each change is told to its holders. */
export class QuotaWatch {
  private readonly pace = new Pace();
  private readonly settles = new Limiter(SETTLES_AT_ONCE);
  /** By uuid; a resource has one at a time. */
  private readonly settling = new Map<string, Promise<void>>();

  constructor(
    private readonly parts: QuotaWatchParts,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** One round of all databases. One that fails does not keep the others from their turn. */
  async round(): Promise<void> {
    const { database, resources } = this.parts;
    let after: string | null = '0';
    while (after !== null) {
      const page: { last: string | null; found: Resource[] } = await resources.listReady(
        database,
        after,
        PAGE,
      );
      after = page.last;
      await this.look(page.found);
    }
  }

  /** One round of the databases that somebody uses, of each as often as it may need. */
  async roundOfBusy(): Promise<void> {
    const { activity, database, resources } = this.parts;
    this.pace.note(await activity.takeBusy());
    const due = this.pace.takeDue(this.nowMs());
    if (due.length > 0) await this.look(await resources.listReadyWith(database, 'database', due));
  }

  /** Waits for what the last rounds began. */
  async finish(): Promise<void> {
    await Promise.all(this.settling.values());
  }

  private async look(found: Resource[]): Promise<void> {
    const { database, levels } = this.parts;
    const measured = await measure(
      database,
      found.map(({ facts }) => namesOf(facts).database),
    );
    const known = await levels.list(
      database,
      found.map(({ uuid }) => uuid),
    );
    for (const resource of found) {
      const facts = measured.get(namesOf(resource.facts).database);
      if (facts === undefined) continue;
      const level = known.get(resource.uuid) ?? 'fine';
      try {
        this.pace.looked(facts.database, facts.bytes, this.plan(resource).storageBytes, this.nowMs());
        if (this.isSettled(resource, level, facts)) this.reclaim(resource, level, facts);
        else {
          await this.brake(resource, level, facts);
          this.begin(resource);
        }
      } catch (error) {
        // One that fails does not keep the others from their turn.
        this.parts.log.error(
          { resource: resource.uuid, error: describeError(error) },
          'the quota of a database could not be judged',
        );
      }
    }
  }

  private isSettled(resource: Resource, level: Level, { bytes, closed, stopped }: Measured): boolean {
    const wanted = judgeLevel(level, bytes, this.plan(resource).storageBytes);
    return !closed && wanted === level && stopped === (level === 'stopped');
  }

  /** At once, whatever else is waiting: the door is closed and everybody is sent out. What follows settles the rest. */
  private async brake(resource: Resource, level: Level, facts: Measured): Promise<void> {
    const { bytes, closed, stopped, database: name } = facts;
    const over = judgeLevel(level, bytes, this.plan(resource).storageBytes) === 'stopped';
    if (!over || closed || stopped) return;
    const { database } = this.parts;
    await database.query(format('ALTER DATABASE %I CONNECTION LIMIT 0', name));
    await database.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
       WHERE a.datname = $1 AND a.backend_type = 'client backend' AND NOT r.rolsuper`,
      [name],
    );
  }

  /** Beside the rounds: a step that takes long in one database keeps no other from being measured. */
  private begin(resource: Resource): void {
    const { uuid } = resource;
    if (this.settling.has(uuid)) return;
    const settling = this.settles.run(() => this.settle(resource)).finally(() => this.settling.delete(uuid));
    this.settling.set(uuid, settling);
  }

  /** Everything is read again under the resource's lock: its plan may have changed, or it may be gone. */
  private async settle({ uuid }: Resource): Promise<void> {
    const { lock, resources, log } = this.parts;
    try {
      await lock.hold(uuid, async (session) => {
        const resource = await resources.find(session, uuid);
        if (resource.state === 'ready') await this.settleLocked(session, resource);
      });
    } catch (error) {
      // Busy with a request: the next round comes back to it.
      if (error instanceof ProviderError) return;
      log.error(
        { resource: uuid, error: describeError(error) },
        'the quota of a database could not be settled',
      );
    }
  }

  private async settleLocked(session: Session, resource: Resource): Promise<void> {
    const { levels, outbox, writeStop, log } = this.parts;
    const names = namesOf(resource.facts);
    const facts = (await measure(session, [names.database])).get(names.database);
    if (facts === undefined) return;
    const { connections, storageBytes } = this.plan(resource);
    const { bytes, closed, stopped } = facts;
    const before = await levels.find(session, resource.uuid);
    const level = judgeLevel(before, bytes, storageBytes);
    if (level === 'stopped' && (closed || !stopped)) await writeStop.stop(names, connections);
    if (level !== 'stopped' && (closed || stopped)) await writeStop.lift(names, connections);
    if (level === before) return;
    await session.transaction(async (tx) => {
      await levels.set(tx, resource.uuid, level, bytes);
      await outbox.add(tx, storageNotice(resource.uuid, level, storageBytes));
    });
    log.info(
      { resource: resource.uuid, before, level, bytes, limitBytes: storageBytes },
      'the quota level changed',
    );
  }

  /** Over quota, what was deleted must be given back before the size can fall. */
  private reclaim(resource: Resource, level: Level, { database }: Measured): void {
    const { reclaimer, wake } = this.parts;
    if (level === 'stopped') reclaimer.begin(database, this.plan(resource).storageBytes, wake);
    else reclaimer.forget(database);
  }

  private plan(resource: Resource): Plan {
    const plan = this.parts.plans.find(({ id }) => id === resource.plan);
    if (plan === undefined) throw new Error(`There is no plan ${resource.plan}.`);
    return plan;
  }
}

async function measure(
  db: Database | Session,
  databases: string[],
): Promise<Map<TenantNames['database'], Measured>> {
  const rows = await db.query<{ database: string; bytes: string | null; closed: boolean; stopped: boolean }>(
    `SELECT d.datname AS database, pg_database_size(d.oid) AS bytes, d.datconnlimit = 0 AS closed,
       NOT EXISTS (
         SELECT FROM pg_auth_members m
         JOIN pg_roles keeper ON keeper.oid = m.roleid JOIN pg_roles login ON login.oid = m.member
         WHERE keeper.rolname = 'o' || substr(d.datname, 2) AND login.rolname = 'u' || substr(d.datname, 2)
       ) AS stopped
     FROM pg_database d WHERE d.datname = ANY ($1)`,
    [databases],
  );
  return new Map(
    rows
      // Null: it was dropped while it was being measured.
      .filter(({ bytes }) => bytes !== null)
      .map(({ bytes, ...rest }) => [rest.database, { ...rest, bytes: Number(bytes) }]),
  );
}
