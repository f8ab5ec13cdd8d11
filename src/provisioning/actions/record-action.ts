import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { Tx } from '../../kernel/db/database.js';
import type { Operation } from '../operation.entity.js';
import type { OperationState } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import type { Outcome } from '../provider-calls.js';
import { ActionRunRepository } from './action-run.repository.js';

/** What follows from each step of an action. The caller holds the add-on's locks. */
@Injectable()
export class RecordAction {
  constructor(
    private readonly runs: ActionRunRepository,
    private readonly operations: OperationRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    { actionAnswer: answer = null }: Outcome,
    author: Author,
  ): Promise<void> {
    if (state !== 'succeeded' && state !== 'failed') return;
    if (state === 'succeeded')
      await this.runs.setResult(tx, operation.id, answer?.result ?? null, answer?.message ?? null);
    await this.ended(tx, operation, addon, state, author);
  }

  /** Its time is over. Where a provider may have carried a command out, a person should find out whether it did. */
  async gaveUp(tx: Tx, operation: Operation, addon: Addon, author: Author, at: Date): Promise<void> {
    const { name, kind } = await this.runs.get(tx, operation.id);
    if (operation.attempt > 0 && kind === 'command')
      await this.operations.openFinding(
        tx,
        addon.id,
        'action_unconfirmed',
        `The provider gave no verdict on ${name} (operation ${operation.id}): ${operation.lastError ?? 'no answer yet'}`,
        at,
      );
    await this.ended(tx, operation, addon, 'failed', author);
  }

  /** Without the provider's words, which may repeat what the customer sent. */
  async ended(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: 'succeeded' | 'failed',
    author: Author,
  ): Promise<void> {
    const { name } = await this.runs.get(tx, operation.id);
    await this.audit.add(tx, author, {
      action: `addon.action_${state}`,
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, action: name, operation: operation.id },
    });
  }
}
