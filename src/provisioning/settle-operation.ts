import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { addonErrors } from '../addons/addons.errors.js';
import { planName } from '../catalog/catalog.entity.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { Database } from '../kernel/db/database.js';
import type { AddonId, OperationId } from '../kernel/ids.js';
import type { SoukError } from '../kernel/errors.js';
import { LOGGER, type Logger } from '../kernel/log.js';
import type { Operation } from './operation.entity.js';
import { isFinal } from './operation.machine.js';
import { OperationRepository } from './operation.repository.js';
import { OperationRunner } from './operation.runner.js';
import { planChangeErrors } from './plan-change.errors.js';

export interface SettledPlanChange {
  addon: Addon;
  /** The plan is the one that was asked for; else the change goes on by itself. */
  confirmed: boolean;
}

/** How often to look while another worker has the lease. */
const LOOK_MS = 25;

/**
 * The synchronous fast path: where the provider answers at once, the caller of the API gets the finished add-on. The
 * same runner under the same lease; whatever is not done in time goes on without the caller.
 */
@Injectable()
export class SettleOperation {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly db: Database,
    private readonly addons: AddonRepository,
    private readonly operations: OperationRepository,
    private readonly runner: OperationRunner,
  ) {}

  /** The add-on after a bounded wait. */
  async soon(addonId: AddonId): Promise<Addon> {
    if (this.config.settleMs > 0) await this.tryFor(addonId, this.config.settleMs);
    return this.addons.get(this.db.manager, addonId);
  }

  /** The same for a creation: throws `provider_refused` when it was refused meanwhile. */
  async creation(addonId: AddonId): Promise<Addon> {
    const addon = await this.soon(addonId);
    if (addon.failed) await this.throwRefusal(addon);
    return addon;
  }

  /**
   * The same for a plan change: whether the provider confirmed it by now. Throws when it did not come about; null: there
   * was nothing to change.
   */
  async planChange(addonId: AddonId, operationId: OperationId | null): Promise<SettledPlanChange> {
    const addon = await (operationId === null
      ? this.addons.get(this.db.manager, addonId)
      : this.soon(addonId));
    const operation = operationId === null ? null : await this.operations.find(this.db.manager, operationId);
    if (operation === null || operation.state === 'succeeded') return { addon, confirmed: true };
    if (operation.state !== 'failed' && operation.state !== 'reverting') return { addon, confirmed: false };
    throw await this.planChangeError(addon, operation);
  }

  private async planChangeError(addon: Addon, operation: Operation): Promise<SoukError> {
    const words = operation.customerMessage;
    const internal = `operation ${operation.id}: ${operation.lastError}`;
    const verdict = await this.operations.findLastVerdict(this.db.manager, operation.id);
    const plan = planName(addon.plan);
    if (verdict === 'unsupported' && words === null)
      return addonErrors.provider_refused({
        message: `The provider of ${plan} cannot change plans; the add-on keeps its plan.`,
        internal,
      });
    if (verdict === 'refused' || verdict === 'refused_in_doubt' || verdict === 'unsupported')
      return addonErrors.provider_refused({
        message:
          words === null
            ? `The provider of ${plan} refused to change the plan and gave no reason; the add-on keeps its plan.`
            : `The provider of ${plan} refused to change the plan: ${words}`,
        internal,
      });
    return planChangeErrors.plan_change_failed({ ...(words === null ? {} : { message: words }), internal });
  }

  private async tryFor(addonId: AddonId, settleMs: number): Promise<void> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), settleMs);
    try {
      await Promise.race([this.settle(addonId, giveUp.signal), aborted(giveUp.signal)]);
    } catch (error) {
      // The operation is committed and the reconciler looks after it: the caller learns its state all the same.
      this.log.warn({ addonId, err: error }, 'the operation could not be settled at once');
    } finally {
      clearTimeout(timer);
      giveUp.abort();
    }
  }

  private async settle(addonId: AddonId, signal: AbortSignal): Promise<void> {
    const operation = await this.operations.findActive(this.db.manager, addonId);
    if (operation === null) return;
    await this.runner.advance(operation.id);
    for (;;) {
      const now = await this.operations.find(this.db.manager, operation.id);
      // Without a lease nobody is at it: the rest happens in its own time.
      if (signal.aborted || now === null || isFinal(now.state) || now.leaseUntil === null) return;
      await wait(LOOK_MS);
    }
  }

  private async throwRefusal(addon: Addon): Promise<never> {
    const operation = await this.operations.findLatest(this.db.manager, addon.id);
    const words = operation?.customerMessage ?? null;
    const plan = `${addon.plan.addonService.name}:${addon.plan.slug}`;
    throw addonErrors.provider_refused({
      message:
        words === null
          ? `The provider of ${plan} refused to create the add-on and gave no reason; nothing was charged.`
          : `The provider of ${plan} refused to create the add-on: ${words}`,
      internal: `operation ${operation?.id}: ${operation?.lastError}`,
      app: { name: addon.app.name },
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
