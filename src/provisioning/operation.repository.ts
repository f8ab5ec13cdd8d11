import { Injectable } from '@nestjs/common';
import { In, IsNull } from 'typeorm';
import type { Addon } from '../addons/addon.entity.js';
import { addonErrors } from '../addons/addons.errors.js';
import { catalogErrors } from '../catalog/catalog.errors.js';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { newId, type AddonId, type AddonServiceId, type Branded, type OperationId } from '../kernel/ids.js';
import type { Hold } from './call-gate.js';
import { Finding, Operation, OperationAttempt } from './operation.entity.js';

/**
 * `delete_unconfirmed` closes by itself when the provider confirms, `plan_unconfirmed` and `plan_abandoned` when the plan
 * is certain or the add-on gone; `provider_id_changed` and `delete_abandoned` are for a person, since a resource that
 * only the provider knows may be left, and so is `action_unconfirmed`.
 */
export type FindingKind =
  | 'delete_unconfirmed'
  | 'provider_id_changed'
  | 'delete_abandoned'
  | 'plan_unconfirmed'
  | 'plan_abandoned'
  | 'action_unconfirmed';

@Injectable()
export class OperationRepository {
  /** Fails with `operation_in_flight` where another one is running: the database allows one. */
  async insert(tx: Tx, operation: Operation): Promise<void> {
    await tx
      .insert(Operation, operation)
      .catch(onConstraint('operations_one_active_key', addonErrors.operation_in_flight))
      // An import may take a plan out of the catalogue while somebody changes to it.
      .catch(onConstraint('operations_plan_id_fkey', catalogErrors.plan_unavailable));
  }

  async find(tx: Tx, id: OperationId): Promise<Operation | null> {
    return tx.findOneBy(Operation, { id });
  }

  async lock(tx: Tx, id: OperationId): Promise<Operation | null> {
    return tx.findOne(Operation, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async findActive(tx: Tx, addonId: AddonId): Promise<Operation | null> {
    return tx.findOneBy(Operation, { addonId, finishedAt: IsNull() });
  }

  /** Whether another add-on of the service, though it is gone for its customer, still has this id deleted at the provider. */
  async isCleaningUp(
    tx: Tx,
    { id, addonServiceId }: Pick<Addon, 'id' | 'addonServiceId'>,
    providerId: string,
  ): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `SELECT 1 FROM operations o JOIN addons a ON a.id = o.addon_id
       WHERE o.finished_at IS NULL AND a.addon_service_id = $1 AND a.provider_id = $2 AND a.id <> $3 LIMIT 1`,
      [addonServiceId, providerId, id],
    );
    return rows.length > 0;
  }

  /** The open operations of several add-ons: at most one for each. */
  async listActive(tx: Tx, addonIds: AddonId[]): Promise<Operation[]> {
    if (addonIds.length === 0) return [];
    return tx.findBy(Operation, { addonId: In(addonIds), finishedAt: IsNull() });
  }

  /** The newest operation of an add-on. */
  async findLatest(tx: Tx, addonId: AddonId): Promise<Operation | null> {
    return tx.findOne(Operation, { where: { addonId }, order: { createdAt: 'DESC', attempt: 'DESC' } });
  }

  /**
   * Writes what changed, provided that the row still has this attempt: a worker that lost its claim changes nothing.
   * `attempt` is the one the caller read.
   */
  async apply(tx: Tx, id: OperationId, attempt: number, change: Partial<Operation>): Promise<boolean> {
    const result = await tx.update(Operation, { id, attempt, finishedAt: IsNull() }, change);
    return result.affected === 1;
  }

  /**
   * Keeps it until its time, the deadline at the latest; nobody calls its provider before. The caller has its lock. A
   * worker whose dead lease is taken away here has lost its claim, as with a new one.
   */
  async hold(
    tx: Tx,
    { id, attempt, leaseUntil }: Operation,
    { state, deadlineAt }: Pick<Operation, 'state' | 'deadlineAt'>,
    { by, until }: Hold,
    now: Date,
  ): Promise<void> {
    await this.apply(tx, id, attempt, {
      state,
      attempt: leaseUntil === null ? attempt : attempt + 1,
      leaseUntil: null,
      deadlineAt,
      updatedAt: now,
      nextAttemptAt: until > deadlineAt ? deadlineAt : until,
      nudgedUntil: null,
      heldBy: by,
    });
  }

  /** Whether the provider itself reported that there is no resource any more, or that there never will be. */
  async hasReportedEnd(tx: Tx, addonId: AddonId): Promise<boolean> {
    return tx.existsBy(Operation, [
      { addonId, type: 'provision', reported: 'broke' },
      { addonId, type: 'deprovision', reported: 'done' },
    ]);
  }

  async insertAttempt(tx: Tx, attempt: OperationAttempt): Promise<void> {
    await tx.insert(OperationAttempt, attempt);
  }

  /**
   * Takes operations that nobody moves (no live lease, and their time has come) and leaves them alone until `againAt`,
   * so that two reconcilers do not nudge the same one.
   */
  async takeDue(tx: Tx, now: Date, againAt: Date, max: number): Promise<OperationId[]> {
    const [rows]: [{ id: OperationId }[], number] = await tx.query(
      `UPDATE operations SET nudged_until = $2 WHERE id IN (
         SELECT id FROM operations
         WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until <= $1)
           AND next_attempt_at <= $1 AND (nudged_until IS NULL OR nudged_until <= $1)
         ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [now, againAt, max],
    );
    return rows.map(({ id }) => id);
  }

  /** What a pause held may go on, spread over a few seconds; what another pause holds too is held again. */
  async releasePaused(tx: Tx, now: Date): Promise<void> {
    await tx.query(
      `UPDATE operations SET held_by = NULL, nudged_until = NULL,
         next_attempt_at = least(deadline_at, $1::timestamptz + random() * interval '3 seconds')
       WHERE id IN (SELECT id FROM operations WHERE finished_at IS NULL AND held_by = 'paused' ORDER BY id FOR UPDATE)`,
      [now],
    );
  }

  /** The verdict of an operation's newest call; null where none was made. */
  async findLastVerdict(tx: Tx, operationId: OperationId): Promise<string | null> {
    const last = await tx.findOne(OperationAttempt, { where: { operationId }, order: { attempt: 'DESC' } });
    return last?.verdict ?? null;
  }

  /** How long the newest `max` plan changes of a service took, from the request to the provider's yes: the middle one. */
  async planChangeTimes(
    tx: Tx,
    serviceId: AddonServiceId,
    max: number,
  ): Promise<{ count: number; medianSeconds: number | null }> {
    const [row]: { count: number; medianSeconds: number | null }[] = await tx.query(
      `SELECT count(*)::int AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS "medianSeconds" FROM (
         SELECT extract(epoch FROM o.finished_at - o.created_at)::float8 AS seconds
         FROM operations o JOIN plans p ON p.id = o.plan_id
         WHERE p.addon_service_id = $1 AND o.state = 'succeeded'
         ORDER BY o.finished_at DESC LIMIT $2) newest`,
      [serviceId, max],
    );
    return row ?? { count: 0, medianSeconds: null };
  }

  async countOpen(tx: Tx): Promise<{ type: string; state: string; count: number }[]> {
    return tx.query(
      'SELECT type, state, count(*)::int AS count FROM operations WHERE finished_at IS NULL GROUP BY type, state',
    );
  }

  /** Opens a finding, or adds to the one of this kind that is open already what it does not say yet. */
  async openFinding(tx: Tx, addonId: AddonId, kind: FindingKind, detail: string, at: Date): Promise<void> {
    await tx.query(
      `INSERT INTO findings (id, kind, addon_id, detail, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (addon_id, kind) WHERE resolved_at IS NULL DO UPDATE
       SET detail = left(findings.detail || E'\\n' || EXCLUDED.detail, 10000)
       WHERE position(EXCLUDED.detail IN findings.detail) = 0`,
      [newId<Branded<'FindingId'>>(), kind, addonId, detail, at],
    );
  }

  async resolveFinding(tx: Tx, addonId: AddonId, kind: FindingKind, at: Date): Promise<void> {
    await tx.update(Finding, { addonId, kind, resolvedAt: IsNull() }, { resolvedAt: at });
  }
}
