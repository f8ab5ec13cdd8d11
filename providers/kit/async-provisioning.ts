import type { CrashPoints } from './crash-points.js';
import type { Database, Session } from './database.js';
import { ProviderError } from './errors.js';
import { Limiter } from './limiter.js';
import { describeError, type Logger } from './log.js';
import type { PendingWork, PendingWorkStore } from './pending-work.js';
import { PlatformError } from './platform-call.js';
import type { PlatformClient } from './platform-client.js';
import type { PlatformLinks } from './platform-links.js';
import { NoGrant } from './platform-tokens.js';
import type { Engine } from './resource.js';
import type { ResourceLock } from './resource-lock.js';
import type { ResourceStore } from './resource-store.js';
import type { Clock } from './clock.js';

export interface AsyncProvisioningParts {
  database: Database;
  store: ResourceStore;
  work: PendingWorkStore;
  links: PlatformLinks;
  lock: ResourceLock;
  engine: Engine;
  platform: PlatformClient;
  clock: Clock;
  crash: CrashPoints;
  log: Logger;
}

const BATCH_MAX = 50;
const AT_ONCE_MAX = 4;
const DELAY_FIRST_MS = 1_000;
const DELAY_MAX_MS = 5 * 60_000;

/** Finishes what was answered with 202. All it knows is in its table, so a killed program goes on where it was. */
export class AsyncProvisioning {
  private readonly places = new Limiter(AT_ONCE_MAX);

  constructor(private readonly parts: AsyncProvisioningParts) {}

  /** Brings each piece of work that is due as far as it goes; one that fails does not hold up the others. */
  async round(): Promise<void> {
    const { database, work } = this.parts;
    const due = await work.listDue(database, BATCH_MAX);
    await Promise.all(due.map((one) => this.places.run(() => this.advance(one))));
  }

  private async advance(pending: PendingWork): Promise<void> {
    const { database, work, log } = this.parts;
    const facts = { resource: pending.uuid, stage: pending.stage, attempt: pending.attempts + 1 };
    try {
      if (await this.step(pending)) {
        const next = await work.find(database, pending.uuid);
        if (next !== null) await this.advance(next);
      }
    } catch (error) {
      const delayMs = this.delayAfter(error, pending.attempts);
      log.warn({ ...facts, delayMs, error: describeError(error) }, 'promised work could not be finished yet');
      await work.postpone(database, pending.uuid, delayMs);
    }
  }

  /** True when the next stage can begin. */
  private async step(pending: PendingWork): Promise<boolean> {
    const { lock, crash } = this.parts;
    const { uuid } = pending;
    switch (pending.stage) {
      case 'create':
        return lock.hold(uuid, (session) => this.create(session, pending));
      case 'report':
        return this.report(pending, async () => {
          await this.sendConfig(uuid);
          crash.reach('async.after-config');
          await this.parts.platform.finishProvision(uuid);
        });
      case 'undo':
        return lock.hold(uuid, (session) => this.undo(session, uuid));
      case 'report-failure':
        return this.report(pending, () => this.parts.platform.finishDeprovision(uuid));
    }
  }

  private async create(session: Session, { uuid, deadlineAt }: PendingWork): Promise<boolean> {
    const { store, work, engine, clock, crash, log } = this.parts;
    const known = await store.find(session, uuid);
    if (known.state === 'creating') {
      try {
        await engine.create(known);
      } catch (error) {
        if (!isRefusal(error) && clock.now() < deadlineAt) throw error;
        log.error(
          { resource: uuid, error: describeError(error) },
          'a resource cannot be made, and is given up',
        );
        return work.move(session, uuid, 'create', 'undo');
      }
      crash.reach('async.before-ready');
    }
    const ready = await session.transaction(async (tx) => {
      const made = known.state === 'ready' || (await store.move(tx, uuid, 'creating', 'ready'));
      if (made) return work.move(tx, uuid, 'create', 'report');
      // The platform deleted it meanwhile, and expects no report.
      await work.remove(tx, uuid);
      return false;
    });
    crash.reach('async.after-ready');
    return ready;
  }

  private async undo(session: Session, uuid: string): Promise<boolean> {
    const { store, work, engine, crash } = this.parts;
    const known = await store.find(session, uuid);
    if (known.state !== 'unknown' && known.state !== 'deleted') {
      if (known.state !== 'deleting') await store.move(session, uuid, known.state, 'deleting');
      await engine.destroy(known);
    }
    crash.reach('async.before-undone');
    const moved = await session.transaction(async (tx) => {
      await store.finishDelete(tx, uuid);
      return work.move(tx, uuid, 'undo', 'report-failure');
    });
    crash.reach('async.after-undone');
    return moved;
  }

  private async sendConfig(uuid: string): Promise<void> {
    const { database, store, engine, platform } = this.parts;
    const known = await store.find(database, uuid);
    if (known.state === 'ready') await platform.setConfig(uuid, engine.credentials(known));
  }

  /** The lock is not held: the platform may call us back while we call it. */
  private async report({ uuid, stage, deadlineAt }: PendingWork, say: () => Promise<void>): Promise<boolean> {
    const { database, store, work, links, clock, crash, log } = this.parts;
    try {
      await say();
    } catch (error) {
      const gone = error instanceof PlatformError && error.gone;
      // The platform's own deadline is over by then: it has given up, and sends, or has sent, a DELETE.
      if (!gone && clock.now() < deadlineAt) throw error;
      log.warn({ resource: uuid, stage, error: describeError(error) }, 'the platform no longer waits');
    }
    crash.reach('async.before-done');
    await database.transaction(async (tx) => {
      await work.remove(tx, uuid);
      const { state } = await store.find(tx, uuid);
      if (state === 'deleted') await links.remove(tx, uuid);
    });
    crash.reach('async.after-done');
    return false;
  }

  private delayAfter(error: unknown, attempts: number): number {
    const asked = error instanceof PlatformError ? (error.retryAfterMs ?? 0) : 0;
    // Only a repeated provision brings a grant, and it wakes this work by itself.
    const patient = error instanceof NoGrant ? DELAY_MAX_MS : DELAY_FIRST_MS * 2 ** attempts;
    return Math.max(asked, Math.min(patient, DELAY_MAX_MS));
  }
}

/** The engine's word that this will never be. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProviderError && error.status < 500;
}
