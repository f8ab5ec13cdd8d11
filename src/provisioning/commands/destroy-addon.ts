import { Injectable } from '@nestjs/common';
import { authorOf, type Actor, type Author } from '../../accounts/actor.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { AppRepository } from '../../apps/app.repository.js';
import { attachmentErrors } from '../../attachments/attachments.errors.js';
import { SharedAddons, type Confirmation } from '../../attachments/shared-addons.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import type { AddonId } from '../../kernel/ids.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import { AddonLocks } from '../addon-locks.js';
import { makesWay } from '../operation.machine.js';
import { OperationRepository } from '../operation.repository.js';
import { StartDeprovision } from '../start-deprovision.js';

/**
 * Marks one add-on for deletion, in the caller's transaction. A delete during a creation is stored and starts when
 * that ends; a second delete changes nothing.
 */
@Injectable()
export class RequestDeprovision {
  constructor(
    private readonly clock: Clock,
    private readonly locks: AddonLocks,
    private readonly addons: AddonRepository,
    private readonly operations: OperationRepository,
    private readonly start: StartDeprovision,
    private readonly audit: AuditTrail,
    private readonly outbox: Outbox,
  ) {}

  async run(tx: Tx, addonId: AddonId, author: Author): Promise<void> {
    const addon = await this.locks.take(tx, addonId);
    if (addon.removedAt !== null || addon.deleteRequestedAt !== null) return;
    const at = this.clock.now();
    const active = await this.operations.findActive(tx, addonId);
    if (active === null) {
      await this.start.run(tx, addon, author, at);
      return;
    }
    await this.addons.setDeleteRequested(tx, addonId, at);
    // A plan change or an action that rests until its next try ends now.
    if (makesWay(active.type)) await this.outbox.add(tx, 'operation.advance', { operationId: active.id });
    await this.audit.add(tx, author, {
      action: 'addon.deprovision_queued',
      subject: { kind: 'addon', id: addonId },
      appId: addon.appId,
      details: { name: addon.name },
    });
  }
}

/** Deletes an add-on that an app of the actor's owns. */
@Injectable()
export class DestroyAddon {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
    private readonly locks: AddonLocks,
    private readonly shared: SharedAddons,
    private readonly request: RequestDeprovision,
  ) {}

  /** The id of the add-on, which may have been going already. Where other apps share it, that has to be confirmed. */
  async run(
    actor: Actor,
    appIdentity: string,
    identity: string,
    confirmation: Confirmation,
  ): Promise<AddonId> {
    return this.db.transaction('deprovision.request', async (tx) => {
      const app = await this.apps.getForActor(tx, actor, appIdentity);
      const addon = await this.addons.getForActor(tx, actor, identity, this.clock.now(), app.id);
      if (addon.appId !== app.id)
        throw attachmentErrors.addon_of_another_app({
          message: `${addon.name} belongs to ${addon.app.name}, not to ${app.name}: detach it here, or destroy it there.`,
          app: { name: addon.app.name },
        });
      await this.shared.assertConfirmed(tx, await this.locks.take(tx, addon.id), confirmation);
      await this.request.run(tx, addon.id, authorOf(actor));
      return addon.id;
    });
  }
}
