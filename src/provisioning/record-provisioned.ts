import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonHistory } from '../addons/addon-history.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { ReleaseEverywhere } from '../attachments/release-everywhere.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { planName } from '../catalog/catalog.entity.js';
import type { Tx } from '../kernel/db/database.js';
import type { ProvisionAnswer } from './reply.js';

/** What follows when a provider has made the resource: config, a release on each app, and charging begins. */
@Injectable()
export class RecordProvisioned {
  constructor(
    private readonly addons: AddonRepository,
    private readonly history: AddonHistory,
    private readonly releaseEverywhere: ReleaseEverywhere,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * `answer` null: the provider said in the end, by a call of its own, that what it had accepted is done. Of config that
   * it sent by calls before, the answer's own values win. `unwanted`: deletion was asked for meanwhile, so nothing is released and nothing charged; the caller goes on to
   * delete. Apps are locked before the add-on, as everywhere.
   */
  async run(
    tx: Tx,
    addon: Addon,
    answer: ProvisionAnswer | null,
    author: Author,
    at: Date,
    unwanted: boolean,
  ): Promise<void> {
    await this.addons.moveState(tx, addon.id, 'provisioning', 'provisioned', at, {
      ...this.addons.sealConfig(addon.id, { ...this.addons.configOf(addon), ...answer?.config }),
      ...(answer === null
        ? {}
        : {
            providerId: answer.providerId,
            provisionMessage: neutralise(answer.message) ?? addon.provisionMessage,
          }),
      ...(unwanted ? {} : { provisionedAt: at }),
    });
    await this.history.enterState(tx, addon.id, 'provisioned', at);
    await this.audit.add(tx, author, {
      action: 'addon.provisioned',
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name, plan: planName(addon.plan), unwanted },
    });
    if (unwanted) return;
    await this.history.beginCharge(tx, addon.id, addon.plan, addon.billedCents, addon.billedCurrency, at);
    await this.releaseEverywhere.run(tx, addon, author, 'Attach');
  }

  /** The provider goes on making the resource: what it said already is kept for its end. */
  async accepted(
    tx: Tx,
    addon: Addon,
    answer: ProvisionAnswer | null,
    message: string | null,
    at: Date,
  ): Promise<void> {
    if (message !== null) await this.addons.setProvisionMessage(tx, addon.id, message);
    if (answer !== null && Object.keys(answer.config).length > 0)
      await this.addons.setConfig(tx, addon.id, { ...this.addons.configOf(addon), ...answer.config }, at);
  }
}
