import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { isId, newId, type AddonId, type Branded, type ProviderId } from '../../kernel/ids.js';
import type { Addon, NoticeSeverity } from '../addon.entity.js';
import { AddonRepository } from '../addon.repository.js';
import { neutralise } from '../addon.js';
import { addonErrors } from '../addons.errors.js';
import { NoticeRepository } from '../notice.repository.js';

export interface PostNoticeInput {
  /** The condition, e.g. `storage`. A later notice of the same key takes the place of this one. */
  key: string;
  severity: NoticeSeverity;
  message: string;
  /** The condition is over: the open notice is closed, and no other is opened. */
  cleared: boolean;
}

/** A provider says something about one of its add-ons. Saying the same again changes nothing. */
@Injectable()
export class PostNotice {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly addons: AddonRepository,
    private readonly notices: NoticeRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    provider: { id: ProviderId; author: Author },
    identity: string,
    input: PostNoticeInput,
  ): Promise<void> {
    const message = neutralise(input.message);
    if (message === null) throw addonErrors.notice_invalid();
    await this.db.transaction('notice.post', async (tx) => {
      const addon = await this.ownAddon(tx, provider.id, identity);
      const open = await this.notices.findOpen(tx, addon.id, input.key);
      if (input.cleared ? open === null : open?.message === message && open.severity === input.severity)
        return;
      const now = this.clock.now();
      if (open !== null) await this.notices.clear(tx, open.id, now);
      if (!input.cleared)
        await this.notices.insert(tx, {
          id: newId<Branded<'NoticeId'>>(),
          addonId: addon.id,
          key: input.key,
          severity: input.severity,
          message,
          createdAt: now,
          clearedAt: null,
        });
      await this.audit.add(tx, provider.author, {
        action: input.cleared ? 'notice.cleared' : 'notice.posted',
        subject: { kind: 'addon', id: addon.id },
        appId: addon.appId,
        details: { key: input.key, severity: input.severity, message },
      });
    });
  }

  /** A provider sees its own add-ons only; another's does not exist for it. */
  private async ownAddon(tx: Tx, providerId: ProviderId, identity: string): Promise<Addon> {
    if (!isId(identity)) throw addonErrors.addon_not_found();
    const addon = await this.addons.lock(tx, identity as AddonId);
    if (addon.plan.addonService.providerId !== providerId || addon.removedAt !== null)
      throw addonErrors.addon_not_found();
    return addon;
  }
}
