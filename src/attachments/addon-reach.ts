import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { App } from '../apps/app.entity.js';
import { appErrors } from '../apps/apps.errors.js';
import type { Tx } from '../kernel/db/database.js';
import { isId, type AddonId } from '../kernel/ids.js';
import type { Attachment } from './attachment.entity.js';
import { AttachmentRepository } from './attachment.repository.js';
import { attachmentErrors } from './attachments.errors.js';

/** The apps that an add-on is attached to, which is all that its provider may see of apps. */
@Injectable()
export class AddonReach {
  constructor(private readonly attachments: AttachmentRepository) {}

  /** By name; at most 1,000. */
  async apps(tx: Tx, addonId: AddonId): Promise<App[]> {
    return reached(tx, addonId).orderBy('app.name', 'ASC').limit(1_000).getMany();
  }

  /** The one of this name or id. What is out of reach does not exist. */
  async app(tx: Tx, addonId: AddonId, identity: string): Promise<App> {
    const app = await reached(tx, addonId)
      .andWhere(isId(identity) ? 'app.id = :identity' : 'app.name = :identity', { identity })
      .getOne();
    if (app === null) throw appErrors.app_not_found();
    return app;
  }

  /** The add-on's attachments on one of those apps, oldest first. */
  async attachmentsOn(tx: Tx, addonId: AddonId, appIdentity: string): Promise<Attachment[]> {
    const app = await this.app(tx, addonId, appIdentity);
    return (await this.attachments.listOfAddon(tx, addonId)).filter((one) => one.appId === app.id);
  }

  /** One of them, by name or id. */
  async attachmentOn(tx: Tx, addonId: AddonId, appIdentity: string, identity: string): Promise<Attachment> {
    const all = await this.attachmentsOn(tx, addonId, appIdentity);
    const found = all.find((one) => one.id === identity || one.name === identity.toUpperCase());
    if (found === undefined) throw attachmentErrors.attachment_not_found();
    return found;
  }
}

function reached(tx: Tx, addonId: AddonId): SelectQueryBuilder<App> {
  return tx
    .createQueryBuilder(App, 'app')
    .where('app.destroyed_at IS NULL')
    .andWhere(
      `EXISTS (SELECT 1 FROM attachments at
        WHERE at.app_id = app.id AND at.addon_id = :addonId AND at.detached_at IS NULL)`,
      { addonId },
    );
}
