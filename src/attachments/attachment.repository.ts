import { Injectable } from '@nestjs/common';
import { IsNull, type SelectQueryBuilder } from 'typeorm';
import type { Actor } from '../accounts/actor.js';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AddonId, type AppId, type AttachmentId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Attachment } from './attachment.entity.js';
import { attachmentErrors } from './attachments.errors.js';

@Injectable()
export class AttachmentRepository {
  async insert(tx: Tx, attachment: Omit<Attachment, 'addon' | 'app'>): Promise<void> {
    await tx
      .insert(Attachment, attachment)
      .catch(onConstraint('attachments_app_id_name_key', attachmentErrors.attachment_name_taken));
  }

  async nameTaken(tx: Tx, appId: AppId, name: string): Promise<boolean> {
    return tx.existsBy(Attachment, { appId, name, detachedAt: IsNull() });
  }

  async detach(tx: Tx, id: AttachmentId, at: Date): Promise<boolean> {
    const result = await tx.update(
      Attachment,
      { id, detachedAt: IsNull() },
      { detachedAt: at, updatedAt: at },
    );
    return result.affected === 1;
  }

  /** The live attachments on an app, oldest first; at most 1,000. */
  async listOfApp(tx: Tx, appId: AppId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.app_id = :appId', { appId })
      .orderBy('attachment.created_at', 'ASC')
      .addOrderBy('attachment.id', 'ASC')
      .take(1_000)
      .getMany();
  }

  /** The live attachments of an add-on, oldest first; at most 1,000. */
  async listOfAddon(tx: Tx, addonId: AddonId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.addon_id = :addonId', { addonId })
      .orderBy('attachment.created_at', 'ASC')
      .take(1_000)
      .getMany();
  }

  /** The same for many add-ons at once. */
  async listOfAddons(tx: Tx, addonIds: AddonId[]): Promise<Attachment[]> {
    if (addonIds.length === 0) return [];
    return this.live(tx)
      .andWhere('attachment.addon_id = ANY(:addonIds)', { addonIds })
      .orderBy('attachment.created_at', 'ASC')
      .getMany();
  }

  /** All attachments on the actor's apps. */
  async listForActor(tx: Tx, actor: Actor, range: Range<'id' | 'name'>): Promise<Page<Attachment>> {
    const query = this.live(tx).andWhere('app.owner_id = :owner', { owner: actor.accountId });
    return pageOf(query, range, { id: 'attachment.id', name: 'attachment.name' }, (one, field) => one[field]);
  }

  async getOfApp(tx: Tx, appId: AppId, identity: string): Promise<Attachment> {
    const found = await this.live(tx)
      .andWhere('attachment.app_id = :appId', { appId })
      .andWhere(isId(identity) ? 'attachment.id = :identity' : 'attachment.name = upper(:identity)', {
        identity,
      })
      .getOne();
    if (found === null) throw attachmentErrors.attachment_not_found();
    return found;
  }

  async getForActor(tx: Tx, actor: Actor, identity: string): Promise<Attachment> {
    if (!isId(identity)) throw attachmentErrors.attachment_not_found();
    const found = await this.live(tx)
      .andWhere('app.owner_id = :owner AND attachment.id = :identity', { owner: actor.accountId, identity })
      .getOne();
    if (found === null) throw attachmentErrors.attachment_not_found();
    return found;
  }

  private live(tx: Tx): SelectQueryBuilder<Attachment> {
    return tx
      .createQueryBuilder(Attachment, 'attachment')
      .innerJoinAndSelect('attachment.app', 'app')
      .innerJoinAndSelect('attachment.addon', 'addon')
      .innerJoinAndSelect('addon.app', 'owner')
      .innerJoinAndSelect('addon.plan', 'plan')
      .innerJoinAndSelect('plan.addonService', 'service')
      .where('attachment.detached_at IS NULL');
  }
}
