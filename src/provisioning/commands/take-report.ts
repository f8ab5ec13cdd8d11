import { Injectable } from '@nestjs/common';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import { grantErrors } from '../../addons/grants/grants.errors.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import type { AddonId } from '../../kernel/ids.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { AddonLocks } from '../addon-locks.js';
import type { Operation } from '../operation.entity.js';
import { DELETE_DEADLINE_MS } from '../operation.js';
import { isFinal } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import { provisioningErrors } from '../provisioning.errors.js';
import { OutcomeEffects } from '../record-outcome.js';
import { BROKE_MESSAGE, stepOf, type Report, type ReportStep } from '../report.js';

/** The tables that a report reads and writes, with the rows' locks. */
@Injectable()
export class ReportRepositories {
  constructor(
    readonly locks: AddonLocks,
    readonly operations: OperationRepository,
    readonly outbox: Outbox,
  ) {}
}

/**
 * A provider reports that its asynchronous work has ended. It may do so again, and before its own 202 was recorded.
 * Races with a deadline, a delete and a late answer are decided by the locks on the add-on and its operation.
 */
@Injectable()
export class TakeReport {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly repositories: ReportRepositories,
    private readonly effects: OutcomeEffects,
    private readonly audit: AuditTrail,
  ) {}

  /** The add-on's id. Throws `addon_gone` where it was gone before, and by no report of this kind. */
  async run(caller: AddonCaller, report: Report): Promise<AddonId> {
    const { locks, operations } = this.repositories;
    return this.db.transaction(`report.${report}`, async (tx) => {
      const addon = await locks.take(tx, caller.addonId);
      if (addon.removedAt !== null) {
        const repeated = report === 'deprovisioned' && (await operations.hasReportedEnd(tx, addon.id));
        if (!repeated) throw grantErrors.addon_gone();
        return addon.id;
      }
      const active = await operations.findActive(tx, addon.id);
      const locked = active === null ? null : await operations.lock(tx, active.id);
      const operation = locked === null || isFinal(locked.state) ? null : locked;
      const step = stepOf(report, operation);
      if (step.kind === 'refuse') throw provisioningErrors.nothing_to_report();
      if (step.kind === 'repeat' || operation === null) return addon.id;
      await this.take(tx, caller, addon, operation, step);
      return addon.id;
    });
  }

  private async take(
    tx: Tx,
    { author }: AddonCaller,
    addon: Addon,
    operation: Operation,
    step: Extract<ReportStep, { kind: 'move' | 'keep' }>,
  ): Promise<void> {
    if (step.kind === 'keep' && operation.reported === step.event) return;
    const { operations, outbox } = this.repositories;
    const now = this.clock.now();
    await operations.apply(tx, operation.id, operation.attempt, {
      reported: step.event,
      reportedAt: now,
      updatedAt: now,
      ...(step.kind === 'move' ? movedTo(step, operation, now) : {}),
    });
    await this.audit.add(tx, author, {
      action: step.event === 'broke' ? 'addon.reported_broken' : `addon.reported_${operation.type}ed`,
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, operation: operation.id, recorded: step.kind === 'move' },
    });
    if (step.kind === 'keep') return;
    const message = step.event === 'broke' ? BROKE_MESSAGE : null;
    await this.effects.run(tx, operation, addon, step.state, { answer: null, message }, now, author);
    if (step.state === 'cleaning') await outbox.add(tx, 'operation.advance', { operationId: operation.id });
  }
}

/** Nobody has a lease in a state that a report moves on. */
function movedTo(
  { state, event }: Extract<ReportStep, { kind: 'move' }>,
  operation: Operation,
  now: Date,
): Partial<Operation> {
  return {
    state,
    finishedAt: isFinal(state) ? now : null,
    customerMessage: event === 'broke' ? BROKE_MESSAGE : operation.customerMessage,
    ...(state === 'cleaning' ? { deadlineAt: plusMs(now, DELETE_DEADLINE_MS), nextAttemptAt: now } : {}),
  };
}
