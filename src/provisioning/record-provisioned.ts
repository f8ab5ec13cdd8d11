import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import type { Addon } from '../addons/addon.entity.js';
import { AddonHistory } from '../addons/addon-history.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { AppRepository } from '../apps/app.repository.js';
import { AttachmentRepository } from '../attachments/attachment.repository.js';
import { ReleaseAddonVars } from '../attachments/release-addon-vars.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { planName } from '../catalog/catalog.entity.js';
import type { Tx } from '../kernel/db/database.js';
import type { ProvisionAnswer } from './reply.js';

/** What follows when a provider has made the resource: config, a release on each app, and charging begins. */
@Injectable()
export class RecordProvisioned {
  constructor(
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly history: AddonHistory,
    private readonly releaseAddonVars: ReleaseAddonVars,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * `unwanted`: deletion was asked for meanwhile, so nothing is released and nothing charged; the caller goes on to
   * delete. Apps are locked before the add-on, as everywhere.
   */
  async run(
    tx: Tx,
    addon: Addon,
    answer: ProvisionAnswer,
    author: Author,
    at: Date,
    unwanted: boolean,
  ): Promise<void> {
    await this.addons.moveState(tx, addon.id, 'provisioning', 'provisioned', at, {
      ...this.addons.sealConfig(addon.id, answer.config),
      providerId: answer.providerId,
      provisionMessage: neutralise(answer.message),
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
    const attachments = await this.attachments.placesOf(tx, addon.id);
    for (const appId of new Set(attachments.map((one) => one.appId))) {
      const names = attachments.filter((one) => one.appId === appId).map(({ name }) => name);
      const app = await this.apps.lockEvenDestroyed(tx, appId);
      if (app.destroyedAt !== null) continue;
      await this.releaseAddonVars.run(tx, app, author, `Attach ${names.join(', ')} (@ref:${addon.name})`);
    }
  }
}
