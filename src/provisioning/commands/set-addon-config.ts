import { Injectable } from '@nestjs/common';
import { AddonRepository } from '../../addons/addon.repository.js';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import { grantErrors } from '../../addons/grants/grants.errors.js';
import { ReleaseEverywhere } from '../../attachments/release-everywhere.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { applyAddonConfig, type AddonConfigChange } from '../addon-config.js';
import { AddonLocks } from '../addon-locks.js';

/**
 * A provider changes the config of its add-on. While that is being made this is kept for the release that makes it;
 * afterwards it is one release on every app that has the add-on. What changes nothing makes no release.
 */
@Injectable()
export class SetAddonConfig {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly locks: AddonLocks,
    private readonly addons: AddonRepository,
    private readonly releaseEverywhere: ReleaseEverywhere,
    private readonly audit: AuditTrail,
  ) {}

  /** The whole config afterwards. */
  async run(caller: AddonCaller, changes: readonly AddonConfigChange[]): Promise<Record<string, string>> {
    return this.db.transaction('addon_config.set', async (tx) => {
      const addon = await this.locks.take(tx, caller.addonId);
      if (addon.removedAt !== null) throw grantErrors.addon_gone();
      const declared = addon.plan.addonService.configVars;
      const { after, set, unset } = applyAddonConfig(this.addons.configOf(addon), changes, declared);
      if (set.length === 0 && unset.length === 0) return after;
      await this.addons.setConfig(tx, addon.id, after, this.clock.now());
      await this.audit.add(tx, caller.author, {
        action: 'addon.config_set',
        subject: { kind: 'addon', id: addon.id },
        appId: addon.appId,
        details: { name: addon.name, set, unset },
      });
      if (addon.state === 'provisioned') await this.releaseEverywhere.run(tx, addon, caller.author, 'Update');
      return after;
    });
  }
}
