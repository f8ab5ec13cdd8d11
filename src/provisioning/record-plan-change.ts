import assert from 'node:assert/strict';
import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonHistory } from '../addons/addon-history.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { planName } from '../catalog/catalog.entity.js';
import { CatalogRepository } from '../catalog/catalog.repository.js';
import type { Tx } from '../kernel/db/database.js';
import type { Operation } from './operation.entity.js';
import type { OperationState } from './operation.machine.js';
import { OperationRepository } from './operation.repository.js';
import type { PlanChangeAnswer } from './plan-change-answer.js';
import type { Outcome } from './provider-calls.js';
import { ReleaseNewConfig } from './release-new-config.js';

/** What follows from each step of a plan change. The caller holds the add-on's locks. */
@Injectable()
export class RecordPlanChange {
  constructor(
    private readonly addons: AddonRepository,
    private readonly catalog: CatalogRepository,
    private readonly operations: OperationRepository,
    private readonly history: AddonHistory,
    private readonly releaseNewConfig: ReleaseNewConfig,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    state: OperationState,
    outcome: Outcome,
    author: Author,
    at: Date,
  ): Promise<void> {
    const answer = outcome.planAnswer ?? null;
    if (state === 'succeeded')
      await this.changed(tx, operation, addon, answer ?? { config: {}, message: null }, author, at);
    else if (state === 'failed') {
      // On its way back a provider may have made new credentials, and the old ones are void then.
      if (answer !== null && addon.deleteRequestedAt === null)
        await this.releaseNewConfig.run(tx, addon, answer.config, author, at);
      if (outcome.event === 'reverted')
        await this.operations.resolveFinding(tx, addon.id, 'plan_abandoned', at);
      const why = outcome.call === 'revert' ? operation.customerMessage : outcome.message;
      await this.failed(tx, operation, addon, author, why, at);
    } else if (outcome.event === 'stranded')
      await this.operations.openFinding(
        tx,
        addon.id,
        'plan_unconfirmed',
        `The provider refuses to go back to ${planName(addon.plan)}, which is what is charged: ${outcome.detail}`,
        at,
      );
  }

  /** The old plan stands, at its old price. */
  async failed(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    author: Author,
    why: string | null,
    at: Date,
  ): Promise<void> {
    await this.operations.resolveFinding(tx, addon.id, 'plan_unconfirmed', at);
    await this.audit.add(tx, author, {
      action: 'addon.plan_change_failed',
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, plan: planName(addon.plan), why, operation: operation.id },
    });
  }

  /**
   * The new plan is there, and is charged from now on. Where deletion was asked for meanwhile charging ended then, at
   * the old plan's price, and nothing is released on apps that the add-on is about to leave.
   */
  private async changed(
    tx: Tx,
    operation: Operation,
    addon: Addon,
    answer: PlanChangeAnswer,
    author: Author,
    at: Date,
  ): Promise<void> {
    const { planId, priceCents, priceCurrency } = operation;
    assert(planId !== null && priceCents !== null && priceCurrency !== null, 'a plan change without a plan');
    const plan = await this.catalog.findPlanByName(tx, planId);
    const unwanted = addon.deleteRequestedAt !== null;
    await this.operations.resolveFinding(tx, addon.id, 'plan_abandoned', at);
    await this.audit.add(tx, author, {
      action: 'addon.plan_changed',
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, from: planName(addon.plan), to: planName(plan), unwanted },
    });
    if (unwanted) return;
    const changed = await this.addons.setPlan(
      tx,
      addon.id,
      {
        planId,
        billedCents: priceCents,
        billedCurrency: priceCurrency,
        provisionMessage: neutralise(answer.message),
      },
      at,
    );
    assert(changed, `add-on ${addon.id} left its state during a plan change`);
    await this.history.beginCharge(tx, addon.id, plan, priceCents, priceCurrency, at);
    await this.releaseNewConfig.run(tx, addon, answer.config, author, at);
  }
}
