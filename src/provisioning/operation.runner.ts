import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, plusMs } from '../kernel/clock.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { CrashPoints } from '../kernel/crash-points.js';
import { Database, type Tx } from '../kernel/db/database.js';
import type { OperationId } from '../kernel/ids.js';
import type { Operation } from './operation.entity.js';
import { DELETE_DEADLINE_MS } from './operation.js';
import { isFinal, isReported, isUndoing, makesWay, next, type OperationState } from './operation.machine.js';
import { AddonLocks } from './addon-locks.js';
import { OperationRepository } from './operation.repository.js';
import { ProviderCalls } from './provider-calls.js';
import { RecordOutcome } from './record-outcome.js';

/** Moves operations on: claim, call, record. The happy path and every repair go through here. */
@Injectable()
export class OperationRunner implements OnApplicationShutdown {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly locks: AddonLocks,
    private readonly operations: OperationRepository,
    private readonly calls: ProviderCalls,
    private readonly recordOutcome: RecordOutcome,
    private readonly crashPoints: CrashPoints,
  ) {}

  /** Safe to call any number of times, for any operation, from any worker. */
  async advance(id: OperationId): Promise<void> {
    const work = this.advanceOnce(id);
    this.underWay.add(work);
    try {
      await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  /** A call that is under way is waited for: its record is what makes it known. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.underWay]);
  }

  private async advanceOnce(id: OperationId): Promise<void> {
    const operation = await this.claim(id);
    if (operation === null) return;
    const beganAt = this.clock.now();
    this.crashPoints.reach(`${operation.type}.before_call`);
    const outcome = await this.calls.make(operation);
    this.crashPoints.reach(`${operation.type}.after_call`);
    await this.recordOutcome.run(operation, outcome, beganAt);
  }

  /** Takes the lease; null where the operation is finished, waits, or is another worker's. */
  private async claim(id: OperationId): Promise<Operation | null> {
    const known = await this.operations.find(this.db.manager, id);
    if (known === null || isFinal(known.state)) return null;
    const expected = known.deadlineAt <= this.clock.now();
    return this.db.transaction(`${known.type}.claim`, async (tx) => {
      // A passed deadline, or a delete that waits for a plan change or an action, may change the add-on and its apps: those are
      // locked before the operation, as everywhere.
      const addon = expected || makesWay(known.type) ? await this.locks.take(tx, known.addonId) : null;
      const operation = await this.operations.lock(tx, id);
      if (operation === null || isFinal(operation.state)) return null;
      // Read under the lock, which may have been waited for: a lease begins now.
      const now = this.clock.now();
      if (operation.leaseUntil !== null && operation.leaseUntil > now) return null;
      if (makesWay(operation.type) && addon !== null && addon.deleteRequestedAt !== null) {
        await this.recordOutcome.supersede(tx, operation, addon, now);
        return null;
      }
      if (rests(operation, now)) return null;
      const late = expected && operation.deadlineAt <= now;
      let state = operation.state;
      if (state === 'calling') state = move(operation, state, 'lost');
      if (late) state = next(operation.type, state, 'expired') ?? state;
      // The customer's side ended when it was abandoned; only its worker was still to come back.
      if (operation.abandonedAt !== null && state === 'unsure')
        state = next(operation.type, state, 'abandoned') ?? state;
      if (late && state !== operation.state && (isUndoing(state) || state === 'failed'))
        await this.recordOutcome.gaveUp(tx, operation, state, now);
      if (state === 'failed' || isReported(operation.type, state)) return null;
      const deadline = await this.deadlineAfterClaim(tx, operation, state, late, now);
      const hold = await this.calls.holdOf(tx, operation, state, now);
      if (hold !== null) {
        await this.operations.hold(tx, operation, { state, deadlineAt: deadline }, hold, now);
        return null;
      }
      const claimed: Operation = {
        ...operation,
        state: move(operation, state, 'claimed'),
        attempt: operation.attempt + 1,
        leaseUntil: plusMs(now, this.config.leaseMs),
        deadlineAt: deadline,
        updatedAt: now,
      };
      const { attempt, leaseUntil, deadlineAt, updatedAt } = claimed;
      await this.operations.apply(tx, id, operation.attempt, {
        state: claimed.state,
        attempt,
        leaseUntil,
        deadlineAt,
        updatedAt,
        nextAttemptAt: leaseUntil ?? now,
        nudgedUntil: null,
        heldBy: null,
      });
      return claimed;
    });
  }

  /** A delete and the way back from a plan change have no end but success: at each deadline a person is told, and it goes on. */
  private async deadlineAfterClaim(
    tx: Tx,
    operation: Operation,
    state: OperationState,
    late: boolean,
    now: Date,
  ): Promise<Date> {
    const beginsUndoing = isUndoing(state) && !isUndoing(operation.state);
    const patient = operation.type === 'deprovision' || isUndoing(state);
    if (!late || !patient) return operation.deadlineAt;
    if (!beginsUndoing) {
      const [kind, what] = state === 'reverting' ? PLAN_UNCONFIRMED : DELETE_UNCONFIRMED;
      const detail = `The provider has not confirmed ${what}: ${operation.lastError ?? 'no answer yet'}`;
      await this.operations.openFinding(tx, operation.addonId, kind, detail, now);
    }
    return plusMs(now, DELETE_DEADLINE_MS);
  }
}

const DELETE_UNCONFIRMED = ['delete_unconfirmed', 'the delete'] as const;
const PLAN_UNCONFIRMED = ['plan_unconfirmed', 'that the add-on is on its old plan'] as const;

/** Waits for its next try: a job that comes twice, or a caller who asks again, does not bring that forward. */
function rests({ state, leaseUntil, nextAttemptAt }: Operation, now: Date): boolean {
  return state !== 'queued' && leaseUntil === null && nextAttemptAt > now;
}

function move(operation: Operation, state: OperationState, event: 'lost' | 'claimed'): OperationState {
  const to = next(operation.type, state, event);
  if (to === null) throw new Error(`operation ${operation.id}: ${event} means nothing in ${state}`);
  return to;
}
