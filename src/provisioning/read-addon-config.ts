import { Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import type { AddonCaller } from '../addons/grants/authenticate-provider.js';
import { ReadTrail } from '../audit/read-trail.js';

/** Reads the config of an add-on for its provider. The read is in the audit trail before a value leaves. */
@Injectable()
export class ReadAddonConfig {
  constructor(
    private readonly addons: AddonRepository,
    private readonly reads: ReadTrail,
  ) {}

  async run(caller: AddonCaller, addon: Addon): Promise<Record<string, string>> {
    await this.reads.note(caller.tokenId, caller.author, {
      action: 'addon.config_read',
      subject: { kind: 'addon', id: addon.id },
      appId: addon.appId,
      details: { name: addon.name },
    });
    return this.addons.configOf(addon);
  }
}
